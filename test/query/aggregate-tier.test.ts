import { describe, expect, it } from 'vitest';
import { createMemorySource, type MemorySample } from '#ports/memory/memory-sample-source.ts';
import { createAggregateSource } from './aggregate-source.ts';
import { evaluate, minute, series, valuesOf } from './evaluate-text.ts';

describe('aggregates of the warm tier', () => {
  const samples = Array.from({ length: 240 }, (_, i): MemorySample => ({ ts: i * 15_000 + 3_000, value: i < 100 ? i * 2 : (i - 100) * 3 }));
  const at = { startMs: 60 * minute };
  const source = createAggregateSource(series('c_total'), samples);
  const inWindow = samples.filter(({ ts }) => ts > 20 * minute);
  const values = inWindow.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);

  it.each([
    ['a plain selector reads the last value', 'c_total', [samples.at(-1)?.value]],
    ['its time is that of the sample', 'timestamp(c_total)', [(samples.at(-1) as MemorySample).ts / 1_000]],
    ['sums add up', 'sum_over_time(c_total[40m])', [sum]],
    ['counts add up', 'count_over_time(c_total[40m])', [160]],
    ['the mean is of the samples, not of the rows', 'avg_over_time(c_total[40m])', [sum / 160]],
    ['the least', 'min_over_time(c_total[40m])', [Math.min(...values)]],
    ['the greatest', 'max_over_time(c_total[40m])', [Math.max(...values)]],
    ['the first', 'first_over_time(c_total[40m])', [values[0]]],
    ['the last', 'last_over_time(c_total[40m])', [values.at(-1)]],
    ['presence', 'present_over_time(c_total[40m])', [1]],
    ['absence', 'absent_over_time(c_total[40m])', []],
  ])('%s', async (_, query, expected) => {
    expect(await valuesOf(source, query, at)).toEqual(expected);
  });

  it.each(['increase(c_total[40m])', 'rate(c_total[40m])', 'increase(c_total[57m])'])(
    '%s is that of the samples, resets put right',
    async (query) => {
      const raw = createMemorySource();
      raw.append(series('c_total'), samples);
      const [expected] = await valuesOf(raw, query, at);
      const [actual] = await valuesOf(source, query, at);
      expect(Math.abs((actual as number) / (expected as number) - 1)).toBeLessThan(0.02);
    },
  );

  it('of deltas sum up to the increase', async () => {
    const deltas = createAggregateSource(
      series('d_total'),
      samples.map((sample) => ({ ...sample, value: 2, delta: true })),
    );
    expect(await valuesOf(deltas, 'increase(d_total[40m])', at)).toEqual([320]);
    expect(await valuesOf(deltas, 'rate(d_total[40m])', at)).toEqual([320 / 2_400]);
  });

  it('are looked back for as far as two rows', async () => {
    expect(await valuesOf(source, 'c_total', { startMs: 69 * minute, lookbackMs: minute })).toHaveLength(1);
    expect(await valuesOf(source, 'c_total', { startMs: 71 * minute, lookbackMs: minute })).toHaveLength(0);
  });

  it('give no result, but a warning, for what they cannot answer', async () => {
    const result = await evaluate(source, 'quantile_over_time(0.5, c_total[40m])', at);
    expect(result.type === 'vector' && result.series).toEqual([]);
    expect(result.warnings).toEqual([
      'PromQL warning: quantile_over_time is not defined on the 5 min aggregates of the warm tier, and no raw samples are left for this range (1:1)',
      'answered from the warm tier',
    ]);
    expect(result.tiers).toEqual(['warm']);
    expect((await evaluate(source, 'c_total[40m]', at)).warnings[0]).toMatch(/raw samples are asked for/);
  });
});
