import { describe, expect, it } from 'vitest';
import { formatDecimal, formatOpenMetrics, formatShortest, formatTwoDigits } from '#query/promql/format-number.ts';
import { goMax, goMin, goPow } from '#query/promql/go-math.ts';

describe('numbers are written as Go writes them', () => {
  it.each([
    [0, '0', '0', '0', '0.0'],
    [-0, '-0', '-0', '-0', '-0.0'],
    [1, '1', '1', '1', '1.0'],
    [0.1, '0.1', '0.1', '0.1', '0.1'],
    [100_000, '100000', '100000', '1e+05', '100000.0'],
    [1_000_000, '1e+06', '1000000', '1e+06', '1e+06'],
    [-1.5e22, '-1.5e+22', '-15000000000000000000000', '-1.5e+22', '-1.5e+22'],
    [0.0001234, '0.0001234', '0.0001234', '0.00012', '0.0001234'],
    [1.5e-7, '1.5e-07', '0.00000015', '1.5e-07', '1.5e-07'],
    [Number.NaN, 'NaN', 'NaN', 'NaN', 'NaN'],
    [Infinity, '+Inf', '+Inf', '+Inf', '+Inf'],
    [-Infinity, '-Inf', '-Inf', '-Inf', '-Inf'],
  ])('%d', (value, shortest, decimal, twoDigits, openMetrics) => {
    expect([formatShortest(value), formatDecimal(value), formatTwoDigits(value), formatOpenMetrics(value)]).toEqual([
      shortest,
      decimal,
      twoDigits,
      openMetrics,
    ]);
  });
});

describe('numbers are compared and raised as Go does it', () => {
  it.each([
    ['an infinity wins over NaN', goMax(Infinity, Number.NaN), Infinity],
    ['on both sides', goMin(Number.NaN, -Infinity), -Infinity],
    ['NaN wins over numbers', goMax(1, Number.NaN), Number.NaN],
    ['1 to any power is 1', goPow(1, Number.NaN), 1],
    ['-1 to an infinite power is 1', goPow(-1, -Infinity), 1],
    ['else it is the power', goPow(2, 10), 1024],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});
