import type { RouteGroup } from '#api/create-api.ts';
import type { CreateImportDeps } from '#ingest/imports/create-import.ts';
import type { IngestDeps } from '#ingest/ingest-samples.ts';
import { createIngestApi } from './context.ts';
import { firehoseRoutes } from './firehose.ts';
import { influxRoutes } from './influx.ts';
import { otlpRoutes } from './otlp.ts';
import { remoteWriteRoutes } from './remote-write.ts';
import { textRoutes } from './text.ts';
import { uploadsRoutes } from './uploads.ts';

/** What the routes that take data in are made of. */
export interface IngestDomains extends CreateImportDeps {
  readonly ingest: IngestDeps;
  /** Where the way to here bounds a request before the tenants' limits do. */
  readonly maxRequestBytes?: number | undefined;
}

/** Every way that data comes in. */
export function ingestGroups(deps: IngestDomains): RouteGroup[] {
  const api = createIngestApi(deps.ingest, deps.maxRequestBytes);
  const routesOfAll = [remoteWriteRoutes, otlpRoutes, influxRoutes, textRoutes, firehoseRoutes].map((routesOf) => routesOf(api));
  return [...routesOfAll, uploadsRoutes(deps)].map((routes) => ({ scope: 'ingest', routes }));
}
