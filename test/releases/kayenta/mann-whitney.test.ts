import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { findRoot } from '#releases/kayenta/find-root.ts';
import { mannWhitney, rankShifted } from '#releases/kayenta/mann-whitney.ts';
import { normalCdf, normalQuantile } from '#releases/kayenta/normal.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

/** Values on a grid that is wide against the root finder's tolerance, so that each step of the staircase is one that it can tell. */
const value = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((steps) => steps / 500);
const arm = fc.array(value, { minLength: 2, maxLength: 40 });
const arms = fc.tuple(arm, arm).filter(([x, y]) => new Set([...x, ...y]).size === x.length + y.length);
/** The root finder's tolerance on both sides, and what rounding does to it. */
const NEAR = 3e-4;

/** Where the middle of the pairwise differences lies: the estimate is anywhere between the two in the middle, or within a step of them. */
function middleOf(x: readonly number[], y: readonly number[]): [number, number] {
  const differences = x.flatMap((a) => y.map((b) => a - b)).sort((a, b) => a - b);
  const half = (differences.length - 1) / 2;
  return [differences[Math.max(0, Math.floor(half) - 1)], differences[Math.min(differences.length - 1, Math.ceil(half) + 1)]];
}

describe('mannWhitney', () => {
  it('is the same with the arms exchanged, seen from the other side', () => {
    fc.assert(
      fc.property(arms, ([x, y]) => {
        const [there, back] = [mannWhitney(x, y), mannWhitney(y, x)];
        expect(there.statistic + back.statistic).toBe(x.length * y.length);
        expect(back.pValue).toBe(there.pValue);
        expect(Math.abs(there.lower + back.upper)).toBeLessThan(NEAR);
        expect(Math.abs(there.upper + back.lower)).toBeLessThan(NEAR);
      }),
    );
  });

  it('moves with a shift of x', () => {
    fc.assert(
      fc.property(arms, fc.integer({ min: -1_000, max: 1_000 }), ([x, y], by) => {
        const [before, after] = [
          mannWhitney(x, y),
          mannWhitney(
            x.map((one) => one + by),
            y,
          ),
        ];
        expect(Math.abs(after.lower - before.lower - by)).toBeLessThan(NEAR);
        expect(Math.abs(after.upper - before.upper - by)).toBeLessThan(NEAR);
      }),
    );
  });

  it('does not depend on the order of the values, nor change them', () => {
    fc.assert(
      fc.property(arms, ([x, y]) => {
        const [a, b] = [Float64Array.from(x), Float64Array.from(y)];
        const told = mannWhitney(a, b);
        expect([...a, ...b]).toEqual([...x, ...y]);
        expect(mannWhitney(x.toReversed(), y.toSorted())).toEqual(told);
      }),
    );
  });

  it('counts the pairs in which x is greater, ties half', () => {
    const small = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(small, small, (x, y) => {
        fc.pre(new Set(x).size > 1 || new Set(y).size > 1);
        const pairs: number[] = x.flatMap((a) => y.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
        expect(mannWhitney(x, y).statistic).toBe(pairs.reduce((sum, one) => sum + one, 0));
      }),
    );
  });

  it('has an estimate in the middle of the differences, and within the interval', () => {
    fc.assert(
      fc.property(arms, ([x, y]) => {
        const { estimate, lower, upper } = mannWhitney(x, y, { correctEstimate: false });
        const [low, high] = middleOf(x, y);
        expect(estimate).toBeGreaterThanOrEqual(low - NEAR);
        expect(estimate).toBeLessThanOrEqual(high + NEAR);
        expect(estimate).toBeGreaterThanOrEqual(lower - NEAR);
        expect(estimate).toBeLessThanOrEqual(upper + NEAR);
      }),
    );
  });

  it('has a wider interval for more confidence', () => {
    fc.assert(
      fc.property(arms, ([x, y]) => {
        const [wide, narrow] = [mannWhitney(x, y, { confidence: 0.99 }), mannWhitney(x, y, { confidence: 0.8 })];
        expect(wide.lower).toBeLessThanOrEqual(narrow.lower + NEAR);
        expect(wide.upper).toBeGreaterThanOrEqual(narrow.upper - NEAR);
      }),
    );
  });

  it('covers the shift as often as it says', () => {
    const random = seededRandom(7);
    const draw = (by: number) => Float64Array.from({ length: 25 }, () => by + 10 * random());
    let covered = 0;
    for (let run = 0; run < 1_000; run++) {
      const { lower, upper } = mannWhitney(draw(3), draw(0), { confidence: 0.9 });
      if (lower <= 3 && upper >= 3) covered++;
    }
    expect(covered).toBeGreaterThan(870);
    expect(covered).toBeLessThan(940);
  });

  it('looks at as few values as merging takes', () => {
    const random = seededRandom(3);
    const sorted = () => Float64Array.from({ length: 850 }, random).sort();
    const [x, y] = [sorted(), sorted()];
    expect(rankShifted({ x, y }, 0).rankSum + rankShifted({ x: y, y: x }, 0).rankSum).toBe((1_700 * 1_701) / 2);
  });

  it.each([
    ['nothing on one side', [], [1, 2], undefined, 'no values on one side'],
    ['nothing on the other side', [1, 2], [], undefined, 'no values on one side'],
    ['what is no number', [1, Number.NaN], [1, 2], undefined, 'finite'],
    ['an infinity', [1, 2], [Number.NEGATIVE_INFINITY], undefined, 'finite'],
    ['one value on each side', [1], [2], undefined, 'all equal'],
    ['two constants', [3, 3, 3], [5, 5], undefined, 'all equal'],
    ['values too far apart', [1e308, 0], [-1e308, 0], undefined, 'too far apart'],
    ['no confidence', [1, 2], [3, 4], 0, 'between 0 and 1'],
    ['a certainty', [1, 2], [3, 4], 1, 'between 0 and 1'],
    ['a confidence that is none', [1, 2], [3, 4], Number.NaN, 'between 0 and 1'],
  ])('refuses %s', (_, x, y, confidence, message) => {
    expect(() => mannWhitney(x, y, { confidence })).toThrow(OpsError);
    expect(() => mannWhitney(x, y, { confidence })).toThrow(message);
  });
});

describe('findRoot', () => {
  const solve = (f: (at: number) => number, low: number, high: number) =>
    findRoot(f, { at: low, value: f(low) }, { at: high, value: f(high) });

  it.each([
    ['a line', (at: number) => 2 - at, 0, 10, 2],
    ['a cube', (at: number) => 27 - at ** 3, -10, 10, 3],
    ['a step', (at: number) => (at < 1.25 ? 1 : -1), -100, 100, 1.25],
    ['a root at the lower end', (at: number) => -at, 0, 5, 0],
    ['a root at the upper end', (at: number) => 5 - at, 0, 5, 5],
  ])('finds that of %s', (_, f, low, high, root) => expect(Math.abs(solve(f, low, high) - root)).toBeLessThan(1e-4));

  it('ends where there is none', () => expect(Number.isFinite(solve(() => 1, 0, 1))).toBe(true));
});

describe('the normal distribution', () => {
  /** From tables with 16 digits (Abramowitz and Stegun 26.1; NIST's statistics handbook). */
  it.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145705],
    [1.959963984540054, 0.975],
    [-2.3263478740408408, 0.01],
    [3, 0.9986501019683699],
    [-6, 9.865876450376981e-10],
    [-10, 7.619853024160527e-24],
  ])('has at %d the probability %d', (z, p) => {
    expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-14);
    if (z <= 3) expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-13 * Math.max(1, Math.abs(z)));
  });

  it('goes from 0 to 1 and is as high on one side as it is low on the other', () => {
    expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    fc.assert(
      fc.property(fc.double({ min: -12, max: 12, noNaN: true }), (z) => {
        expect(Math.abs(normalCdf(z) + normalCdf(-z) - 1)).toBeLessThan(1e-15);
      }),
    );
  });

  it('is undone by its quantile', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), (p) => {
        expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-13);
      }),
    );
  });
});
