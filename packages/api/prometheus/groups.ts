import type { RouteGroup } from '#api/create-api.ts';
import type { SampleSource, SelectLimits } from '#ports/sample-source.ts';
import { queryRoutes } from './query-routes.ts';
import { seriesRoutes } from './series-routes.ts';
import { statusRoutes } from './status-routes.ts';

/** The version whose query semantics we have; clients decide by it what they may ask. */
const PROMETHEUS_VERSION = '3.14.0';

/** What the routes that answer queries are made of. */
export interface QueryDomains {
  readonly source: SampleSource;
  readonly queryLimits: (tenant: string) => SelectLimits & { readonly timeoutMs: number };
  readonly now: () => number;
}

/** Prometheus' API at the root and below Mimir's prefix: Grafana and others expect either. */
export function queryGroups({ source, queryLimits, now }: QueryDomains): RouteGroup[] {
  const api = { source, queryLimits, now, version: PROMETHEUS_VERSION };
  return ['', '/prometheus'].flatMap((prefix) =>
    [queryRoutes(api, prefix), seriesRoutes(api, prefix), statusRoutes(api, prefix)].map((routes) => ({ scope: 'query' as const, routes })),
  );
}
