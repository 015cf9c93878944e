import type { ApiContext } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import type { DecodeContext } from '#ingest/decode-context.ts';
import type { IngestDeps } from '#ingest/ingest-samples.ts';
import type { IngestLimits } from '#ingest/limits.ts';
import { createSeriesCache, type SeriesCache } from '#ingest/series-cache.ts';

/** What the ingest routes need: the verb's dependencies and one series cache for each set of limits. */
export interface IngestApi {
  readonly ingest: IngestDeps;
  readonly seriesCache: (limits: IngestLimits) => SeriesCache;
  readonly maxRequestBytes: number;
}

const MAX_SERIES = 200_000;

/** Series caches live as long as the process; tenants with the same limits share one. */
export function createIngestApi(ingest: IngestDeps, maxRequestBytes: number = Number.POSITIVE_INFINITY): IngestApi {
  const caches = new Map<IngestLimits, SeriesCache>();
  return {
    ingest,
    maxRequestBytes,
    seriesCache(limits) {
      let cache = caches.get(limits);
      if (!cache) {
        cache = createSeriesCache({ maxSeries: MAX_SERIES, limits });
        caches.set(limits, cache);
      }
      return cache;
    },
  };
}

/** One request's body and what its decoder is handed. */
export interface IngestRequest {
  readonly tenant: string;
  readonly body: Uint8Array;
  readonly series: SeriesCache;
  readonly context: DecodeContext;
}

/** Reads a request's body, bounded by the tenant's limits. */
export async function openRequest(api: IngestApi, c: ApiContext): Promise<IngestRequest> {
  const tenant = c.get('tenant');
  const { limits } = api.ingest.tenant(tenant);
  const maxBytes = Math.min(api.maxRequestBytes, Math.max(limits.maxCompressedBytes, limits.maxBodyBytes));
  const body = await readBody(c.req.raw, maxBytes);
  const series = api.seriesCache(limits);
  return { tenant, body, series, context: { intern: (labels) => series.intern(labels), nowMs: api.ingest.now(), limits } };
}
