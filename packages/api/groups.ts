import type { IngestDeps } from '#ingest/ingest-samples.ts';
import type { RouteGroup } from './create-api.ts';
import { createIngestApi } from './ingest/context.ts';
import { influxRoutes } from './ingest/influx.ts';
import { remoteWriteRoutes } from './ingest/remote-write.ts';
import { textRoutes } from './ingest/text.ts';
import { type InvokeFunction, invokeRoutes } from './invoke.ts';

/** What the routes are made of. */
export interface ApiDomains {
  readonly ingest: IngestDeps;
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
    { scope: 'admin', routes: invokeRoutes({ invoke: deps.invoke, names: deps.functionNames }) },
  ];
}
