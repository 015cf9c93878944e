import type { AggregateColumns, SampleColumns } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';
import { createMemorySource, type MemorySample } from '#ports/memory/memory-sample-source.ts';
import type { AggregateSeries, RawSeries, SampleSource, SelectResult } from '#ports/sample-source.ts';
import { aggregateAggregates, aggregateSamples } from './aggregate.ts';
import { mergeSamples } from './merge-samples.ts';

/** A source with samples over it that are not written yet. */
export interface OverlaySource {
  readonly source: SampleSource;
  /** What is read from now on has these samples too; of two at one time the usual winner counts. */
  append(series: Series, samples: readonly MemorySample[]): void;
}

/**
 * Lets an evaluation of rules read what its earlier rules gave before anything of it is stored. Where the base answers with aggregates, samples
 * above that are later than its last one count in them; markers of staleness do not, as in all aggregates.
 */
export function createOverlaySource(base: SampleSource): OverlaySource {
  const above = createMemorySource();
  let isEmpty = true;
  return {
    append(series, samples) {
      isEmpty = false;
      above.append(series, samples);
    },
    source: {
      ...base,
      async select(input) {
        const below = await base.select(input);
        if (isEmpty) return below;
        const added = await above.select(input);
        if (added.tier !== 'hot' || added.series.length === 0) return below;
        const read = { ...below.read, samples: below.read.samples + added.read.samples };
        return { ...overlay(below, added.series), read };
      },
      async series(input) {
        const below = await base.series(input);
        const byKey = new Map([...below.series, ...(await above.series(input)).series].map((series) => [seriesKey(series), series]));
        return { ...below, series: [...byKey.values()] };
      },
    },
  };
}

function overlay(below: SelectResult, added: readonly RawSeries[]): SelectResult {
  if (below.tier === 'hot') return { ...below, series: mergeByKey(below.series, added, addRaw) };
  const { resolutionMs } = below;
  return { ...below, series: mergeByKey(below.series, added, (known, more) => addAggregates(known, more, resolutionMs)) };
}

function mergeByKey<T extends { readonly series: Series }>(
  known: readonly T[],
  added: readonly RawSeries[],
  add: (known: T | undefined, added: RawSeries) => T | undefined,
): T[] {
  const byKey = new Map(known.map((entry) => [seriesKey(entry.series), entry]));
  for (const more of added) {
    const key = seriesKey(more.series);
    const merged = add(byKey.get(key), more);
    if (merged !== undefined) byKey.set(key, merged);
  }
  return [...byKey.values()];
}

function addRaw(known: RawSeries | undefined, added: RawSeries): RawSeries {
  return known === undefined ? added : { series: known.series, samples: mergeSamples([known.samples, added.samples]) };
}

function addAggregates(known: AggregateSeries | undefined, { series, samples }: RawSeries, widthMs: number): AggregateSeries | undefined {
  const lastTs = known?.aggregates.lastTs.at(-1) ?? Number.NEGATIVE_INFINITY;
  const rows = aggregateSamples(samplesAfter(samples, lastTs), widthMs);
  if (rows.ts.length === 0) return known;
  return { series, aggregates: known === undefined ? rows : aggregateAggregates(concatenate(known.aggregates, rows), widthMs) };
}

function samplesAfter({ ts, value, stale }: SampleColumns, afterMs: number): SampleColumns {
  const from = ts.findIndex((time) => time > afterMs);
  const at = from < 0 ? ts.length : from;
  return { ts: ts.subarray(at), value: value.subarray(at), stale: stale?.subarray(at) };
}

/** The rows of one after those of the other; the last of the first and the first of the second may be of one interval. */
function concatenate(a: AggregateColumns, b: AggregateColumns): AggregateColumns {
  const join = (x: Float64Array, y: Float64Array) => {
    const both = new Float64Array(x.length + y.length);
    both.set(x);
    both.set(y, x.length);
    return both;
  };
  const delta = a.delta && new Uint8Array(a.ts.length + b.ts.length);
  if (a.delta) delta?.set(a.delta);
  return {
    ts: join(a.ts, b.ts),
    count: join(a.count, b.count),
    sum: join(a.sum, b.sum),
    min: join(a.min, b.min),
    max: join(a.max, b.max),
    first: join(a.first, b.first),
    last: join(a.last, b.last),
    increase: join(a.increase, b.increase),
    firstTs: join(a.firstTs, b.firstTs),
    lastTs: join(a.lastTs, b.lastTs),
    delta,
  };
}
