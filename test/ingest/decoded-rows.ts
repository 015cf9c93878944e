import type { DecodeContext } from '#ingest/decode-context.ts';
import type { Decoded } from '#ingest/decoded.ts';
import { defaultIngestLimits, type IngestLimits } from '#ingest/limits.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { STALE } from '#model/samples.ts';

export const NOW_MS = 1_700_000_000_000;

/** A context for decoders of text, with a cache of its own. */
export function testContext(limits: Partial<IngestLimits> = {}): DecodeContext {
  const all = { ...defaultIngestLimits, ...limits };
  const cache = createSeriesCache({ maxSeries: 10_000, limits: all });
  return { intern: cache.intern, nowMs: NOW_MS, limits: all };
}

/** `name{json} value @ts` for each sample, in order; `stale` for a stale marker, ` from <ts>` where the start is known. */
export function rowsOf({ batch }: Decoded): string[] {
  return Array.from(batch.ts, (ts, i) => {
    const series = batch.series[batch.seriesIndex[i] as number];
    if (!series) throw new Error(`sample ${i} has no series`);
    const value = (batch.flags[i] as number) & STALE ? 'stale' : Object.is(batch.value[i], -0) ? '-0' : String(batch.value[i]);
    const startTs = batch.startTs?.[i] ?? Number.NaN;
    return `${series.metric}${series.json} ${value} @${ts}${Number.isNaN(startTs) ? '' : ` from ${startTs}`}`;
  });
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
