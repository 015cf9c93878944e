import type { IngestDeps } from '#ingest/ingest-samples.ts';
import type { SampleSource, SelectLimits } from '#ports/sample-source.ts';
import type { RouteGroup } from './create-api.ts';
import { createIngestApi } from './ingest/context.ts';
import { influxRoutes } from './ingest/influx.ts';
import { remoteWriteRoutes } from './ingest/remote-write.ts';
import { textRoutes } from './ingest/text.ts';
import { type InvokeFunction, invokeRoutes } from './invoke.ts';
import { openApiRoutes } from './openapi.ts';
import { queryRoutes } from './prometheus/query-routes.ts';
import { seriesRoutes } from './prometheus/series-routes.ts';
import { statusRoutes } from './prometheus/status-routes.ts';
import { rootRoutes } from './root-page.ts';

/** The version whose query semantics we have; clients decide by it what they may ask. */
const PROMETHEUS_VERSION = '3.14.0';

/** What the routes are made of. */
export interface ApiDomains {
  readonly ingest: IngestDeps;
  readonly source: SampleSource;
  readonly queryLimits: (tenant: string) => SelectLimits & { readonly timeoutMs: number };
  readonly now: () => number;
  readonly invoke: InvokeFunction;
  readonly functionNames: readonly string[];
}

/** Every route with the scope that it takes. */
export function apiGroups(deps: ApiDomains): RouteGroup[] {
  const ingest = createIngestApi(deps.ingest);
  return [
    { scope: 'ingest', routes: remoteWriteRoutes(ingest) },
    { scope: 'ingest', routes: influxRoutes(ingest) },
    { scope: 'ingest', routes: textRoutes(ingest) },
    ...['', '/prometheus'].flatMap((prefix) => prometheusGroups(deps, prefix)),
    { scope: 'open', routes: rootRoutes(deps.functionNames) },
    { scope: 'open', routes: openApiRoutes() },
    { scope: 'admin', routes: invokeRoutes({ invoke: deps.invoke, names: deps.functionNames }) },
  ];
}

/** Grafana and others expect Prometheus' API at the root or below a prefix of Mimir's. */
function prometheusGroups({ source, queryLimits, now }: ApiDomains, prefix: string): RouteGroup[] {
  const api = { source, queryLimits, now, version: PROMETHEUS_VERSION };
  return [queryRoutes(api, prefix), seriesRoutes(api, prefix), statusRoutes(api, prefix)].map((routes) => ({ scope: 'query', routes }));
}
