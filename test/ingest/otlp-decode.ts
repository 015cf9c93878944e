import type { Decoded } from '#ingest/decoded.ts';
import { defaultIngestLimits, type IngestLimits } from '#ingest/limits.ts';
import { decodeOtlp } from '#ingest/otlp.ts';
import { createOtlpTranslator, defaultOtlpSettings, type OtlpSettings, type OtlpTranslator } from '#ingest/otlp-translator.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { bytes } from './decoded-rows.ts';
import { encodeOtlp, type ResourceMetrics } from './otlp-writer.ts';

/** A translator with caches of its own. */
export function createTranslator(settings: Partial<OtlpSettings> = {}, limits: Partial<IngestLimits> = {}): OtlpTranslator {
  const all = { ...defaultIngestLimits, ...limits };
  const series = createSeriesCache({ maxSeries: 10_000, limits: all });
  return createOtlpTranslator({ series, maxSeries: 10_000 }, { ...defaultOtlpSettings, ...settings });
}

/** Decodes a request by way of protobuf. */
export function decode(resources: readonly ResourceMetrics[], translator = createTranslator()): Decoded {
  return decodeOtlp({ translator }, encodeOtlp(resources), 'protobuf');
}

/** Decodes a request in OTLP's JSON. */
export function decodeJson(json: unknown, translator = createTranslator()): Decoded {
  return decodeOtlp({ translator }, bytes(JSON.stringify(json)), 'json');
}
