import type { RouteGroup } from '#api/create-api.ts';
import type { IngestDeps } from '#ingest/ingest-samples.ts';
import { createIngestApi } from './context.ts';
import { influxRoutes } from './influx.ts';
import { remoteWriteRoutes } from './remote-write.ts';
import { textRoutes } from './text.ts';

/** What the routes that take data in are made of. */
export interface IngestDomains {
  readonly ingest: IngestDeps;
  /** Where the way to here bounds a request before the tenants' limits do. */
  readonly maxRequestBytes?: number | undefined;
}

/** Every way that data comes in. */
export function ingestGroups({ ingest, maxRequestBytes }: IngestDomains): RouteGroup[] {
  const api = createIngestApi(ingest, maxRequestBytes);
  return [remoteWriteRoutes(api), influxRoutes(api), textRoutes(api)].map((routes) => ({ scope: 'ingest', routes }));
}
