import type { Label, Series } from '#model/series.ts';
import { createByteCache } from './byte-cache.ts';
import { parseLabels } from './label-messages.ts';
import { type SeriesLookup, seriesUnderRules } from './label-rules.ts';
import type { IngestLimits } from './limits.ts';

/**
 * The one place where label sets become Series: each is parsed, checked, sorted and spelled as JSON once in the life of the
 * process, and equal content is the same object as long as anybody holds it, whichever protocol it came by.
 */
export interface SeriesCache {
  readonly limits: IngestLimits;
  /**
   * By the encoded Label messages of a remote-write TimeSeries, tags and lengths included: `[start, end)` of `source`.
   * An OpsError `input` only where those bytes are not Label messages.
   */
  lookup(source: DataView, start: number, end: number): SeriesLookup;
  /** By content, labels in any order, for decoders that have text. */
  intern(labels: readonly Label[]): SeriesLookup;
}

export interface SeriesCacheOptions {
  /** Series of one generation; what has not been asked for during the next `maxSeries` new ones is dropped. */
  readonly maxSeries: number;
  readonly limits: IngestLimits;
}

/** Makes an empty cache. It holds no tenant's samples, only label sets, so one serves all tenants that share the limits. */
export function createSeriesCache({ maxSeries, limits }: SeriesCacheOptions): SeriesCache {
  const byBytes = createByteCache<SeriesLookup>({ maxEntries: maxSeries, maxKeyBytes: Math.min(maxSeries * 512, 2 ** 31) });
  const content = createContentTable();
  const recent = createRecentSet(maxSeries);
  const admit = (labels: readonly Label[]): SeriesLookup => {
    const found = seriesUnderRules(labels, limits);
    return found.series ? { series: content.intern(found.series) } : found;
  };
  return {
    limits,
    lookup(source, start, end) {
      const known = byBytes.get(source, start, end, 0);
      if (known !== undefined) return known;
      const parsed = parseLabels(source, start, end, limits);
      const made = parsed.rejection ? parsed : admit(parsed.labels);
      byBytes.set(source, start, end, 0, made);
      return made;
    },
    intern(labels) {
      const made = admit(labels);
      recent.keep(made);
      return made;
    },
  };
}

interface ContentTable {
  /** The one object of this content. */
  intern(series: Series): Series;
}

/** Series by metric and JSON. Held weakly: the caches in front decide what lives; what is dead is swept as the table doubles. */
function createContentTable(): ContentTable {
  const byMetric = new Map<string, Map<string, WeakRef<Series>>>();
  let size = 0;
  let sweepAt = 8_192;
  const sweep = () => {
    for (const [metric, byJson] of byMetric) {
      for (const [json, ref] of byJson) {
        if (ref.deref() === undefined && byJson.delete(json)) size--;
      }
      if (byJson.size === 0) byMetric.delete(metric);
    }
    sweepAt = Math.max(8_192, size * 2);
  };
  return {
    intern(series) {
      let byJson = byMetric.get(series.metric);
      const known = byJson?.get(series.json)?.deref();
      if (known) return known;
      if (size >= sweepAt) {
        sweep();
        byJson = byMetric.get(series.metric);
      }
      if (!byJson) {
        byJson = new Map();
        byMetric.set(series.metric, byJson);
      }
      const before = byJson.size;
      byJson.set(series.json, new WeakRef(series));
      size += byJson.size - before;
      return series;
    },
  };
}

/** Keeps what was asked for by content alive for a while: two generations, the elder dropped whole. */
function createRecentSet(maxSeries: number): { keep(lookup: SeriesLookup): void } {
  const generations: [Set<Series>, Set<Series>] = [new Set(), new Set()];
  return {
    keep({ series }) {
      if (!series) return;
      if (generations[0].size >= maxSeries) {
        generations[1] = generations[0];
        generations[0] = new Set();
      }
      generations[0].add(series);
    },
  };
}
