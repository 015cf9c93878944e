import type { AggregateColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { MemorySample } from '#ports/memory/memory-sample-source.ts';
import type { SampleSource, SelectInput } from '#ports/sample-source.ts';

/** A source that holds one series and answers from the warm tier alone, from aggregates of its samples. */
export function createAggregateSource(series: Series, samples: readonly MemorySample[], asked: SelectInput[] = []): SampleSource {
  return {
    async select(input) {
      asked.push(input);
      const read = { objects: 1, requests: 2, bytes: 3, samples: samples.length };
      const aggregates = aggregateSamples(samples, 300_000);
      return { tier: 'warm', resolutionMs: 300_000, series: [{ series, aggregates }], warnings: ['answered from the warm tier'], read };
    },
    series: async () => ({ series: [series], read: { objects: 0, requests: 0, bytes: 0, samples: 0 } }),
    metadata: async () => [],
  };
}

/** Aggregate rows of raw samples in time order, as downsampling makes them. */
function aggregateSamples(samples: readonly MemorySample[], resolutionMs: number): AggregateColumns {
  const rows = new Map<number, MemorySample[]>();
  for (const sample of samples) {
    const start = Math.floor(sample.ts / resolutionMs) * resolutionMs;
    rows.set(start, [...(rows.get(start) ?? []), sample]);
  }
  const column = (pick: (row: MemorySample[], start: number) => number) => Float64Array.from(rows, ([start, row]) => pick(row, start));
  return {
    ts: column((_, start) => start),
    count: column((row) => row.length),
    sum: column((row) => row.reduce((sum, { value }) => sum + value, 0)),
    min: column((row) => Math.min(...row.map(({ value }) => value))),
    max: column((row) => Math.max(...row.map(({ value }) => value))),
    first: column((row) => (row[0] as MemorySample).value),
    last: column((row) => (row.at(-1) as MemorySample).value),
    increase: column(increaseInside),
    firstTs: column((row) => (row[0] as MemorySample).ts),
    lastTs: column((row) => (row.at(-1) as MemorySample).ts),
    ...(samples.some(({ delta }) => delta) && { delta: Uint8Array.from(rows, ([, row]) => Number(row[0]?.delta === true)) }),
  };
}

function increaseInside(row: readonly MemorySample[]): number {
  let increase = 0;
  for (let i = 1; i < row.length; i++) {
    const step = (row[i] as MemorySample).value - (row[i - 1] as MemorySample).value;
    increase += step < 0 ? (row[i] as MemorySample).value : step;
  }
  return increase;
}
