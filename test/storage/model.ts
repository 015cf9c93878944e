import type { AggregateColumns, SampleColumns } from '#model/samples.ts';
import { seriesKey } from '#model/series.ts';
import { resolutionMs } from '#model/tier.ts';
import type { Item } from '#ports/table.ts';
import { aggregateAggregates, aggregateSamples } from '#storage/aggregate.ts';
import { selectSeries } from '#storage/select.ts';
import type { StorageDeps } from '#storage/storage-deps.ts';
import { batchOf, type Row, wholeMetric } from './store.ts';

// What was written, as plain maps, to hold the storage's answers against.

/** Values by time, by series. */
export type Samples = Map<string, Map<number, number>>;

/** The key of a row's series, as seriesKey gives it. */
function keyOf(name: string): string {
  return seriesKey(batchOf([{ series: name, ts: 0, value: 0 }]).series[0]);
}

/** Adds rows; the greater of two values at one time stays. */
export function addRows(samples: Samples, rows: readonly Row[]): void {
  for (const { series, ts, value } of rows) {
    const key = keyOf(series);
    const values = samples.get(key) ?? new Map<number, number>();
    values.set(ts, Math.max(value, values.get(ts) ?? Number.NEGATIVE_INFINITY));
    samples.set(key, values);
  }
}

/** A map's samples in time order. */
function columnsOf(values: ReadonlyMap<number, number>): SampleColumns {
  const ts = [...values.keys()].sort((a, b) => a - b);
  return { ts: Float64Array.from(ts), value: Float64Array.from(ts, (time) => values.get(time) as number) };
}

/** All raw samples of the metrics in a time range; fails where a series has a time twice or out of order. */
export async function readRaw(deps: StorageDeps, metrics: readonly string[], startMs: number, endMs: number): Promise<Samples> {
  const found: Samples = new Map();
  for (const metric of metrics) {
    const result = await selectSeries(deps, wholeMetric('t', metric, startMs, endMs));
    if (result.tier !== 'hot') throw new Error(`expected raw samples, got ${result.tier}`);
    for (const { series, samples } of result.series) {
      const values = new Map<number, number>();
      for (let i = 0; i < samples.ts.length; i++) {
        if (i > 0 && samples.ts[i] <= samples.ts[i - 1]) throw new Error(`${seriesKey(series)} has ${samples.ts[i]} twice or out of order`);
        values.set(samples.ts[i], samples.value[i]);
      }
      if (found.has(seriesKey(series))) throw new Error(`${seriesKey(series)} came twice`);
      found.set(seriesKey(series), values);
    }
  }
  return found;
}

/** All aggregates of the metrics in a time range, by series. */
export async function readTier(
  deps: StorageDeps,
  tier: 'warm' | 'cold',
  metrics: readonly string[],
  startMs: number,
  endMs: number,
): Promise<Map<string, AggregateColumns>> {
  const found = new Map<string, AggregateColumns>();
  for (const metric of metrics) {
    const width = resolutionMs[tier];
    const ranged = { func: 'sum_over_time', rangeMs: 4 * width, stepMs: width };
    const result = await selectSeries(deps, { ...wholeMetric('t', metric, startMs, endMs), ...ranged });
    if (result.tier !== tier) throw new Error(`expected ${tier} aggregates, got ${result.tier}`);
    for (const { series, aggregates } of result.series) found.set(seriesKey(series), aggregates);
  }
  return found;
}

/** What the aggregates of these samples must be. */
export function aggregatesOf(samples: Samples, tier: 'warm' | 'cold'): Map<string, AggregateColumns> {
  return new Map(
    Array.from(samples, ([key, values]) => {
      const warm = aggregateSamples(columnsOf(values), resolutionMs.warm);
      return [key, tier === 'warm' ? warm : aggregateAggregates(warm, resolutionMs.cold)];
    }),
  );
}

/** What is wrong with an answer: acknowledged samples that it lacks, and samples that nobody wrote. */
export function findFaults(found: Samples, acknowledged: Samples, attempted: Samples): string[] {
  const faults: string[] = [];
  for (const [key, values] of acknowledged) {
    for (const [ts, value] of values) {
      const got = found.get(key)?.get(ts);
      if (got === undefined || (got < value && attempted.get(key)?.get(ts) !== got)) faults.push(`lacks ${key} ${ts} ${value}: ${got}`);
    }
  }
  for (const [key, values] of found) {
    for (const [ts, value] of values) {
      const known = attempted.get(key)?.get(ts);
      if (known === undefined || value > known) faults.push(`made up ${key} ${ts} ${value}`);
    }
  }
  return faults;
}

type Counts = ReadonlyMap<string, { readonly ts: Float64Array; readonly count: Float64Array }>;

/** Intervals that count fewer samples than `least`, which were acknowledged before, or more than `most`, which were ever sent. */
export function findMiscounts(found: Counts, least: Counts, most: Counts): string[] {
  const countsOf = (counts: Counts) =>
    new Map(Array.from(counts, ([key, { ts, count }]) => [key, new Map(Array.from(ts, (t, i) => [t, count[i] as number]))]));
  const [got, low, high] = [countsOf(found), countsOf(least), countsOf(most)];
  const faults: string[] = [];
  for (const [key, intervals] of low) {
    for (const [ts, count] of intervals)
      if ((got.get(key)?.get(ts) ?? 0) < count) faults.push(`too few in ${key} ${ts}: ${got.get(key)?.get(ts)} of ${count}`);
  }
  for (const [key, intervals] of got) {
    for (const [ts, count] of intervals) if (count > (high.get(key)?.get(ts) ?? 0)) faults.push(`too many in ${key} ${ts}: ${count}`);
  }
  return faults;
}

/** Catalog entries whose object is missing, and objects that no entry names: of all items, and the keys of all objects. */
export function findLooseEnds(items: readonly Item[], objects: Iterable<string>): { dangling: string[]; orphans: string[] } {
  const stored = new Set(objects);
  const named = new Set<string>();
  const retired = new Set<string>();
  for (const item of items) {
    if (/^(seg|blk)\//.test(item.pk) && typeof item.key === 'string') named.add(item.key);
    if (item.sk.startsWith('retired#')) for (const unique of item.uniques as readonly string[]) retired.add(unique);
  }
  return {
    dangling: [...named].filter((key) => !stored.has(key)),
    orphans: [...stored].filter((key) => !named.has(key) && !retired.has(/([^/]+)\.qsg$/.exec(key)?.[1] ?? '')),
  };
}
