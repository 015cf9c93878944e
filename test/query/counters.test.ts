import { describe, expect, it } from 'vitest';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { everyMinute, minute, series, valuesOf } from './evaluate-text.ts';

describe('series of deltas', () => {
  const source = createMemorySource();
  source.append(series('d_total'), everyMinute([5, 7, 1, 4, 3], { delta: true }));
  source.append(series('mixed_total'), [
    { ts: minute, value: 10 },
    { ts: 2 * minute, value: 12 },
    { ts: 3 * minute, value: 6, delta: true },
    { ts: 4 * minute, value: 20 },
    { ts: 5 * minute, value: 23 },
  ]);

  it.each([
    ['increase is the sum of the values in (t - range, t]', 'increase(d_total[2m])', 4 * minute, [7]],
    ['one value is enough', 'increase(d_total[1m])', 4 * minute, [3]],
    ['rate is that over the range, not extrapolated', 'rate(d_total[4m])', 4 * minute, [15 / 240]],
    ['irate is the last value over the time since the one before', 'irate(d_total[4m])', 4 * minute, [3 / 60]],
    ['a smaller value is no reset', 'resets(d_total[10m])', 4 * minute, [0]],
    ['growth between cumulative samples beside deltas counts', 'increase(mixed_total[10m])', 5 * minute, [2 + 6 + 3]],
    ['a window without any value has no result', 'increase(d_total[1m])', 20 * minute, []],
  ])('%s', async (_, query, startMs, expected) => {
    expect(await valuesOf(source, query, { startMs })).toEqual(expected);
  });
});

describe('start times', () => {
  const source = createMemorySource();
  source.append(series('c_total'), [{ ts: 5 * minute, value: 30, startTs: 4 * minute }]);

  it('stand for a sample of 0, so that the first value counts', async () => {
    expect(await valuesOf(source, 'increase(c_total[10m])', { startMs: 5 * minute })).toEqual([30]);
  });

  it('can be left out of account', async () => {
    expect(await valuesOf(source, 'increase(c_total[10m])', { startMs: 5 * minute, useStartTimestamps: false })).toEqual([]);
    expect(await valuesOf(source, 'start_timestamp(c_total)', { startMs: 5 * minute, useStartTimestamps: false })).toEqual([]);
  });
});

describe('counters that begin inside the window', () => {
  const source = createMemorySource();
  source.append(series('c_total'), [
    { ts: 0, value: 1 },
    { ts: 15_000, value: 2 },
  ]);

  it.each([
    ['3.x extrapolates by half a distance at most', '3.x', (15 + 7.5 + 5) / 15],
    ['2.x extrapolated to where the counter was 0', '2.x', (15 + 15 + 5) / 15],
  ] as const)('%s', async (_, extrapolation, expected) => {
    expect(await valuesOf(source, 'increase(c_total[1m])', { startMs: 20_000, extrapolation })).toEqual([expected]);
  });
});
