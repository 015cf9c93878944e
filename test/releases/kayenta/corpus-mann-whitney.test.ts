import { describe, expect, it } from 'vitest';
import { differenceAt, mannWhitney } from '#releases/kayenta/mann-whitney.ts';
import { normalQuantile } from '#releases/kayenta/normal.ts';
import { readCases, skipped } from './kayenta-corpus.ts';

interface Arms {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

interface Vectors {
  readonly tolerance: number;
  readonly wilcoxonDiff: Arms & { readonly cases: readonly { readonly mu: number; readonly z: number; readonly expected: number }[] };
  readonly normalQuantile: readonly { readonly p: number; readonly expected: number }[];
  readonly test: readonly (Arms & {
    readonly name: string;
    readonly confLevel: number;
    readonly confidenceInterval: readonly [number, number];
    readonly estimate: number;
    readonly estimateTolerance?: number;
  })[];
  readonly intermediate: Arms & Readonly<Record<string, number>>;
}

interface WilcoxCase extends Arms {
  readonly id: number;
  readonly kind: string;
  readonly statistic: number;
  readonly pValue: number;
  readonly confInt: readonly [number, number];
  readonly estimate: number;
}

const vectors = readCases<Vectors | undefined>('mann-whitney.json', undefined);
const { cases: wilcox } = readCases<{ cases: readonly WilcoxCase[] }>('r-wilcox.json', { cases: [] });
const arms = ({ x, y }: Arms) => ({ x: Float64Array.from(x).sort(), y: Float64Array.from(y).sort() });
const digits = 6;

describe.skipIf(skipped)(`R's wilcox.test over 200 pairs${skipped}`, () => {
  it('has all of them', () => expect(wilcox).toHaveLength(200));

  it.each(wilcox)('$id, $kind', ({ x, y, statistic, pValue, confInt, estimate }) => {
    const told = mannWhitney(x, y, { confidence: 0.98, correctEstimate: false });
    expect(told.statistic).toBe(statistic);
    expect(Math.abs(told.pValue / pValue - 1)).toBeLessThan(1e-12);
    expect([told.lower, told.upper]).toEqual(confInt);
    expect(told.estimate).toBe(estimate);
  });
});

describe.skipIf(skipped)(`Kayenta's Mann-Whitney vectors${skipped}`, () => {
  if (vectors === undefined) return void it('are not here', () => undefined);
  const { wilcoxonDiff, normalQuantile: quantiles, test, intermediate } = vectors;

  it.each(wilcoxonDiff.cases)('have the difference at $mu', ({ mu, z, expected }) => {
    expect(Math.abs(differenceAt(arms(wilcoxonDiff), mu, z) - expected)).toBeLessThanOrEqual(1e-5);
  });

  it.each(quantiles)('have the quantile of $p', ({ p, expected }) => expect(normalQuantile(p)).toBeCloseTo(expected, digits));

  it.each(test)('$name', ({ x, y, confLevel, confidenceInterval, estimate, estimateTolerance = vectors.tolerance }) => {
    const told = mannWhitney(x, y, { confidence: confLevel });
    expect(Math.abs(told.lower - confidenceInterval[0])).toBeLessThanOrEqual(vectors.tolerance);
    expect(Math.abs(told.upper - confidenceInterval[1])).toBeLessThanOrEqual(vectors.tolerance);
    expect(Math.abs(told.estimate - estimate)).toBeLessThanOrEqual(estimateTolerance);
  });

  it('have what lies between', () => {
    const { x, y, confLevel, muMin, muMax, zLower, zUpper } = intermediate;
    const sorted = arms({ x, y });
    const { lower, upper, estimate } = mannWhitney(x, y, { confidence: confLevel });
    expect([sorted.x[0] - (sorted.y.at(-1) as number), (sorted.x.at(-1) as number) - sorted.y[0]]).toEqual([muMin, muMax]);
    expect(normalQuantile((1 - confLevel) / 2)).toBeCloseTo(zUpper, 12);
    expect(differenceAt(sorted, muMin, zLower)).toBeCloseTo(intermediate.diffAtMuMin_zLower, digits);
    expect(differenceAt(sorted, muMax, zLower)).toBeCloseTo(intermediate.diffAtMuMax_zLower, digits);
    expect(differenceAt(sorted, muMin, zUpper)).toBeCloseTo(intermediate.diffAtMuMin_zUpper, digits);
    expect(differenceAt(sorted, muMax, zUpper)).toBeCloseTo(intermediate.diffAtMuMax_zUpper, digits);
    expect(lower).toBeCloseTo(intermediate.rootLower, digits);
    expect(upper).toBeCloseTo(intermediate.rootUpper, digits);
    expect(estimate).toBeCloseTo(intermediate.estimate, digits);
  });
});
