import { tenantSettings } from '#config/load-config.ts';
import { alertDomains } from './alert-domains.ts';
import { backupDomains } from './backup-domains.ts';
import { configurationDomains } from './configuration-domains.ts';
import type { FunctionDeps } from './deps.ts';
import { flagDomains } from './flags-deps.ts';
import { kubernetesDomains } from './kubernetes-domains.ts';
import { releaseDomains } from './release-domains.ts';
import { webhookDomains } from './webhook-domains.ts';

/** What all routes together are made of, for a server that has them all. */
export function apiDomains(deps: FunctionDeps) {
  return {
    ...deps,
    ...alertDomains(deps),
    ...releaseDomains(deps),
    ...kubernetesDomains(deps),
    ...configurationDomains(deps),
    ...flagDomains(deps),
    ...webhookDomains(deps),
    ...backupDomains(deps),
    queryLimits: (tenant: string) => tenantSettings(deps.config, tenant).queryLimits,
  };
}
