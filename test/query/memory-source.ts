import { OpsError } from '#core/errors.ts';
import { compileMatcher } from '#model/matcher.ts';
import { type SampleColumns, winsOver } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';
import type { LabelsInput, RawSeries, SampleSource, SelectInput } from '#ports/sample-source.ts';

/** One sample as a test writes it down. */
export interface MemorySample {
  readonly ts: number;
  readonly value: number;
  readonly stale?: boolean;
  readonly delta?: boolean;
  readonly startTs?: number;
}

export interface MemorySource extends SampleSource {
  /** Adds samples in any order; of two at one time the usual winner stays. */
  append(series: Series, samples: readonly MemorySample[]): void;
  /** Adds a whole series as columns. */
  appendColumns(series: Series, samples: SampleColumns): void;
  clear(): void;
  /** How often each operation was called. */
  readonly calls: { select: number };
}

/** A sample source in memory, for tests and benchmarks. */
export function createMemorySource(): MemorySource {
  const stored = new Map<string, RawSeries>();
  const calls = { select: 0 };
  return {
    calls,
    append(series, samples) {
      const key = seriesKey(series);
      stored.set(key, { series, samples: mergeSamples(stored.get(key)?.samples, samples) });
    },
    appendColumns(series, samples) {
      stored.set(seriesKey(series), { series, samples });
    },
    clear: () => stored.clear(),
    async select(input) {
      calls.select++;
      const selected: RawSeries[] = [];
      let samples = 0;
      for (const entry of matching([...stored.values()], input.matchers)) {
        const cut = cutColumns(entry.samples, input);
        if (cut.ts.length === 0) continue;
        samples += cut.ts.length;
        selected.push({ series: entry.series, samples: cut });
      }
      if (selected.length > input.limits.maxSeries) throw new OpsError('limit', `more than ${input.limits.maxSeries} series`);
      return { tier: 'hot', series: selected, warnings: [], read: { objects: 0, requests: 0, bytes: 0, samples } };
    },
    async series(input: LabelsInput) {
      const sets = input.matcherSets.length === 0 ? [[]] : input.matcherSets;
      const found = new Set(sets.flatMap((matchers) => matching([...stored.values()], matchers).map(({ series }) => series)));
      return { series: [...found], read: { objects: 0, requests: 0, bytes: 0, samples: 0 } };
    },
    metadata: async () => [],
  };
}

function matching(entries: readonly RawSeries[], matchers: SelectInput['matchers']): RawSeries[] {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return entries.filter(({ series }) => tests.every(({ name, test }) => test(labelOf(series, name))));
}

function labelOf(series: Series, name: string): string {
  if (name === '__name__') return series.metric;
  return series.labels.find((label) => label.name === name)?.value ?? '';
}

function cutColumns(samples: SampleColumns, { startMs, endMs }: SelectInput): SampleColumns {
  const from = lowerBound(samples.ts, startMs);
  const end = lowerBound(samples.ts, endMs + 0.5);
  if (from === 0 && end === samples.ts.length) return samples;
  const { ts, value, stale, delta, startTs } = samples;
  return {
    ts: ts.subarray(from, end),
    value: value.subarray(from, end),
    ...(stale && { stale: stale.subarray(from, end) }),
    ...(delta && { delta: delta.subarray(from, end) }),
    ...(startTs && { startTs: startTs.subarray(from, end) }),
  };
}

function lowerBound(ts: Float64Array, time: number): number {
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ts[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mergeSamples(known: SampleColumns | undefined, added: readonly MemorySample[]): SampleColumns {
  const byTime = new Map<number, MemorySample>();
  for (const sample of [...toSamples(known), ...added]) {
    const other = byTime.get(sample.ts);
    if (other === undefined || winsOver(sample.value, sample.stale === true, other.value, other.stale === true))
      byTime.set(sample.ts, sample);
  }
  const samples = [...byTime.values()].sort((a, b) => a.ts - b.ts);
  return {
    ts: Float64Array.from(samples, ({ ts }) => ts),
    value: Float64Array.from(samples, ({ value }) => value),
    ...(samples.some(({ stale }) => stale) && { stale: Uint8Array.from(samples, ({ stale }) => Number(stale === true)) }),
    ...(samples.some(({ delta }) => delta) && { delta: Uint8Array.from(samples, ({ delta }) => Number(delta === true)) }),
    ...(samples.some(({ startTs }) => startTs !== undefined) && {
      startTs: Float64Array.from(samples, ({ startTs }) => startTs ?? Number.NaN),
    }),
  };
}

function toSamples(columns: SampleColumns | undefined): MemorySample[] {
  if (columns === undefined) return [];
  return Array.from(columns.ts, (ts, i) => {
    const startTs = columns.startTs?.[i];
    return {
      ts,
      value: columns.value[i] as number,
      stale: columns.stale?.[i] === 1,
      delta: columns.delta?.[i] === 1,
      ...(startTs !== undefined && !Number.isNaN(startTs) && { startTs }),
    };
  });
}
