import { OpsError } from '#core/errors.ts';
import { compileMatcher } from '#model/matcher.ts';
import { type SampleColumns, winsOver } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';
import type { LabelsInput, RawSeries, SampleSource, SelectInput } from '#ports/sample-source.ts';

/** One sample as it is written down by hand. */
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

interface Stored {
  readonly series: Series;
  /** In time order, each time once. */
  samples: MemorySample[];
  /** The same as columns, made when they are asked for. */
  columns: SampleColumns | undefined;
}

/** A sample source in memory, for tests of rules, for what is not written yet, and for our own tests. Reading sees what was appended before. */
export function createMemorySource(): MemorySource {
  const stored = new Map<string, Stored>();
  const byMetric = new Map<string, Map<string, Stored>>();
  const keep = (entry: Stored) => {
    const key = seriesKey(entry.series);
    stored.set(key, entry);
    const ofMetric = byMetric.get(entry.series.metric) ?? new Map<string, Stored>();
    byMetric.set(entry.series.metric, ofMetric.set(key, entry));
  };
  /** Those that can match: of one metric, where the matchers name it. */
  const candidates = (matchers: SelectInput['matchers']) => {
    const metric = matchers.find(({ name, op }) => name === '__name__' && op === '=')?.value;
    return [...((metric === undefined ? stored : byMetric.get(metric))?.values() ?? [])];
  };
  const calls = { select: 0 };
  return {
    calls,
    append(series, samples) {
      const key = seriesKey(series);
      const known = stored.get(key) ?? { series, samples: [], columns: undefined };
      known.samples = mergeSamples(toSamples(known), samples);
      known.columns = undefined;
      if (!stored.has(key)) keep(known);
    },
    appendColumns(series, columns) {
      keep({ series, samples: [], columns });
    },
    clear() {
      stored.clear();
      byMetric.clear();
    },
    async select(input) {
      calls.select++;
      const selected: RawSeries[] = [];
      let samples = 0;
      for (const entry of matching(candidates(input.matchers), input.matchers)) {
        const cut = cutColumns(toColumns(entry), input);
        if (cut.ts.length === 0) continue;
        samples += cut.ts.length;
        selected.push({ series: entry.series, samples: cut });
      }
      if (selected.length > input.limits.maxSeries) throw new OpsError('limit', `more than ${input.limits.maxSeries} series`);
      return { tier: 'hot', series: selected, warnings: [], read: { objects: 0, requests: 0, bytes: 0, samples } };
    },
    async series(input: LabelsInput) {
      const sets = input.matcherSets.length === 0 ? [[]] : input.matcherSets;
      const found = new Set(sets.flatMap((matchers) => matching(candidates(matchers), matchers).map(({ series }) => series)));
      return { series: [...found], read: { objects: 0, requests: 0, bytes: 0, samples: 0 } };
    },
    metadata: async () => [],
  };
}

function matching(entries: readonly Stored[], matchers: SelectInput['matchers']): Stored[] {
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

function mergeSamples(known: MemorySample[], added: readonly MemorySample[]): MemorySample[] {
  const [only] = added;
  const last = known[known.length - 1];
  if (only !== undefined && added.length === 1 && (last === undefined || last.ts < only.ts)) {
    known.push(only);
    return known;
  }
  const byTime = new Map<number, MemorySample>(known.map((sample) => [sample.ts, sample]));
  for (const sample of added) {
    const other = byTime.get(sample.ts);
    if (other === undefined || winsOver(sample.value, sample.stale === true, other.value, other.stale === true))
      byTime.set(sample.ts, sample);
  }
  return [...byTime.values()].sort((a, b) => a.ts - b.ts);
}

function toColumns(stored: Stored): SampleColumns {
  stored.columns ??= columnsOf(stored.samples);
  return stored.columns;
}

function columnsOf(samples: readonly MemorySample[]): SampleColumns {
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

function toSamples({ samples, columns }: Stored): MemorySample[] {
  if (samples.length > 0 || columns === undefined) return samples;
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
