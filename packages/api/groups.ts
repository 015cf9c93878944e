import type { MetricRegistry } from '#core/metrics.ts';
import type { AlertDomains } from './alerts/alert-domains.ts';
import { alertGroups } from './alerts/groups.ts';
import type { BackupDomains } from './backups/backup-domains.ts';
import { backupGroups } from './backups/groups.ts';
import type { ConfigurationDomains } from './configurations/configuration-domains.ts';
import { configurationGroups } from './configurations/groups.ts';
import type { RouteGroup } from './create-api.ts';
import type { FlagDomains } from './flags/flag-domains.ts';
import { flagGroups } from './flags/groups.ts';
import { type IngestDomains, ingestGroups } from './ingest/groups.ts';
import { type InvokeFunction, invokeRoutes } from './invoke.ts';
import { kubernetesGroups } from './kubernetes/groups.ts';
import type { KubernetesDeps } from './kubernetes/kubernetes-deps.ts';
import { metricsRoutes } from './metrics-route.ts';
import { openApiRoutes } from './openapi.ts';
import { type QueryDomains, queryGroups } from './prometheus/groups.ts';
import { releaseGroups } from './releases/groups.ts';
import type { ReleaseDomains } from './releases/release-domains.ts';
import { rootRoutes } from './root-page.ts';
import { webhookGroups } from './webhooks/groups.ts';
import type { WebhookDomains } from './webhooks/webhook-routes.ts';

/** What the routes are made of. */
export interface ApiDomains
  extends IngestDomains,
    QueryDomains,
    AlertDomains,
    ReleaseDomains,
    WebhookDomains,
    KubernetesDeps,
    ConfigurationDomains,
    FlagDomains,
    BackupDomains {
  readonly invoke: InvokeFunction;
  readonly functionNames: readonly string[];
  readonly registry: MetricRegistry;
  /** Tenants are told apart by tokens: what one asks for neither touches nor shows another. */
  readonly isShared: boolean;
}

/** Every route with the scope that it takes. */
export function apiGroups(deps: ApiDomains): RouteGroup[] {
  return [
    ...ingestGroups(deps),
    ...queryGroups(deps),
    ...alertGroups(deps),
    ...releaseGroups(deps),
    ...configurationGroups(deps),
    ...kubernetesGroups(deps),
    ...flagGroups(deps),
    ...webhookGroups(deps),
    ...backupGroups(deps),
    { scope: 'open', routes: rootRoutes(deps.functionNames) },
    { scope: 'open', routes: openApiRoutes() },
    { scope: 'query', routes: metricsRoutes(deps) },
    { scope: 'admin', routes: invokeRoutes({ ...deps, names: deps.functionNames }) },
  ];
}
