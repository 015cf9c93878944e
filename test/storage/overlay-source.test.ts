import { describe, expect, it } from 'vitest';
import type { AggregateColumns } from '#model/samples.ts';
import { seriesFromJson } from '#model/series.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import type { SampleSource, SelectInput } from '#ports/sample-source.ts';
import { aggregateSamples } from '#storage/aggregate.ts';
import { createOverlaySource } from '#storage/overlay-source.ts';

const a = seriesFromJson('m', '{"s":"a"}');
const b = seriesFromJson('m', '{"s":"b"}');
const limits = { maxSeries: 10, maxSamples: 100, maxBytes: 1_000 };
const input: SelectInput = {
  tenant: 't',
  matchers: [{ name: '__name__', op: '=', value: 'm' }],
  startMs: 0,
  endMs: 100_000,
  rangeMs: 0,
  stepMs: 0,
  func: '',
  limits,
};

/** A base that answers with aggregates of five seconds over these samples of `a`. */
function aggregateBase(ts: readonly number[], value: readonly number[]): SampleSource {
  const aggregates = aggregateSamples({ ts: Float64Array.from(ts), value: Float64Array.from(value) }, 5_000);
  const read = { objects: 1, requests: 1, bytes: 10, samples: ts.length };
  return {
    ...createMemorySource(),
    select: async () => ({ tier: 'warm', resolutionMs: 5_000, series: [{ series: a, aggregates }], read, warnings: ['w'] }),
  };
}

async function aggregatesOf(source: SampleSource): Promise<Record<string, AggregateColumns>> {
  const selected = await source.select(input);
  if (selected.tier === 'hot') throw new Error('raw samples');
  return Object.fromEntries(selected.series.map(({ series, aggregates }) => [series.json, aggregates]));
}

describe('samples over a source', () => {
  it('are read with those below, of one time the usual winner', async () => {
    const base = createMemorySource();
    base.append(
      a,
      [1, 2, 3].map((value, i) => ({ ts: i * 1_000, value })),
    );
    const { source, append } = createOverlaySource(base);
    expect((await source.select(input)).series).toHaveLength(1);
    append(a, [
      { ts: 2_000, value: 1 },
      { ts: 3_000, value: 4 },
      { ts: 500, value: 9 },
    ]);
    append(b, [{ ts: 1_000, value: Number.NaN, stale: true }]);
    const selected = await source.select(input);
    if (selected.tier !== 'hot') throw new Error('aggregates');
    expect(
      selected.series.map(({ series, samples }) => [series.json, [...samples.ts], [...samples.value], [...(samples.stale ?? [])]]),
    ).toEqual([
      ['{"s":"a"}', [0, 500, 1_000, 2_000, 3_000], [1, 9, 2, 3, 4], []],
      ['{"s":"b"}', [1_000], [Number.NaN], [1]],
    ]);
    expect(selected.read.samples).toBe(3 + 4);
    expect(base.calls.select).toBe(2);
  });

  it('count in the aggregates of a base that has no more than those, each once', async () => {
    const { source, append } = createOverlaySource(aggregateBase([0, 1_000, 6_000], [1, 2, 5]));
    append(a, [
      { ts: 6_000, value: 5 },
      { ts: 7_000, value: 3 },
      { ts: 12_000, value: 4 },
    ]);
    append(b, [{ ts: 12_000, value: 1 }]);
    const expected = (ts: number[], value: number[]) =>
      aggregateSamples({ ts: Float64Array.from(ts), value: Float64Array.from(value) }, 5_000);
    expect(await aggregatesOf(source)).toEqual({
      '{"s":"a"}': expected([0, 1_000, 6_000, 7_000, 12_000], [1, 2, 5, 3, 4]),
      '{"s":"b"}': expected([12_000], [1]),
    });
  });

  it('that are stale markers change no aggregates', async () => {
    const { source, append } = createOverlaySource(aggregateBase([0], [1]));
    for (const series of [a, b]) append(series, [{ ts: 9_000, value: Number.NaN, stale: true }]);
    expect(Object.keys(await aggregatesOf(source))).toEqual(['{"s":"a"}']);
  });

  it('are among the series that there are, each once', async () => {
    const base = createMemorySource();
    base.append(a, [{ ts: 0, value: 1 }]);
    const { source, append } = createOverlaySource(base);
    append(a, [{ ts: 1, value: 1 }]);
    append(b, [{ ts: 1, value: 1 }]);
    const { series } = await source.series({ tenant: 't', matcherSets: [], startMs: 0, endMs: 10, limits });
    expect(series.map(({ json }) => json).sort()).toEqual(['{"s":"a"}', '{"s":"b"}']);
  });
});
