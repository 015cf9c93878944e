import type { ApiContext } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import type { DecodeContext } from '#ingest/decode-context.ts';
import type { IngestDeps, IngestTenant } from '#ingest/ingest-samples.ts';
import type { IngestLimits } from '#ingest/limits.ts';
import { createOtlpTranslator, defaultOtlpSettings, type OtlpTranslator } from '#ingest/otlp-translator.ts';
import { createSeriesCache, type SeriesCache } from '#ingest/series-cache.ts';

/** What the ingest routes need: the verb's dependencies and one series cache for each set of limits, with OTLP's names over it. */
export interface IngestApi {
  readonly ingest: IngestDeps;
  readonly seriesCache: (limits: IngestLimits) => SeriesCache;
  readonly otlpTranslator: (tenant: IngestTenant) => OtlpTranslator;
  readonly maxRequestBytes: number;
}

const MAX_SERIES = 200_000;

/** Series caches live as long as the process; tenants with the same limits share one. */
export function createIngestApi(ingest: IngestDeps, maxRequestBytes: number = Number.POSITIVE_INFINITY): IngestApi {
  const seriesCache = oncePer((limits: IngestLimits) => createSeriesCache({ maxSeries: MAX_SERIES, limits }));
  const translatorWith = (keepUtf8Names: boolean) =>
    oncePer((limits: IngestLimits) =>
      createOtlpTranslator({ series: seriesCache(limits), maxSeries: MAX_SERIES }, { ...defaultOtlpSettings, keepUtf8Names }),
    );
  const translated = translatorWith(false);
  const asSent = translatorWith(true);
  return {
    ingest,
    maxRequestBytes,
    seriesCache,
    otlpTranslator: ({ limits, keepUtf8Names }) => (keepUtf8Names ? asSent : translated)(limits),
  };
}

function oncePer<K, T>(make: (key: K) => T): (key: K) => T {
  const made = new Map<K, T>();
  return (key) => {
    let one = made.get(key);
    if (one === undefined) {
      one = make(key);
      made.set(key, one);
    }
    return one;
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
