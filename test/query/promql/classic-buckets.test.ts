import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BucketFix, type Buckets, bucketFraction, bucketQuantile } from '#query/promql/classic-buckets.ts';

function make(pairs: readonly (readonly [number, number])[]): Buckets {
  return {
    bounds: Float64Array.from(pairs, ([bound]) => bound),
    counts: Float64Array.from(pairs, ([, count]) => count),
    length: pairs.length,
  };
}

function quantile(q: number, pairs: readonly (readonly [number, number])[]): { value: number; fixes: BucketFix[] } {
  const fixes: BucketFix[] = [];
  return { value: bucketQuantile(q, make(pairs), (fix) => fixes.push(fix)), fixes };
}

describe('the quantile of classic buckets', () => {
  const plain = [
    [1, 10],
    [2, 30],
    [Infinity, 40],
  ] as const;
  it.each([
    ['is linear within a bucket', 0.5, plain, 1.5],
    ['begins at 0 in the lowest', 0.125, plain, 0.5],
    ['stops at the bound below the last', 0.9, plain, 2],
    ['is -Inf below 0', -1, plain, -Infinity],
    ['is +Inf above 1', 2, plain, Infinity],
    ['is NaN for NaN', Number.NaN, plain, Number.NaN],
    ['is NaN without +Inf', 0.5, plain.slice(0, 2), Number.NaN],
    ['is NaN with a single bucket', 0.5, plain.slice(2), Number.NaN],
    ['is NaN without observations', 0.5, plain.map(([bound]) => [bound, 0] as const), Number.NaN],
    ['is the bound of a lowest bucket that is not above 0', 0.1, [[-1, 10], ...plain.slice(1)], -1],
    ['adds up buckets of one bound', 0.5, [[1, 5], [1, 5], ...plain.slice(1)], 1.5],
  ] as const)('%s', (_, q, pairs, expected) => {
    expect(quantile(q, pairs).value).toBe(expected);
  });

  it('reports counts that fall, and says how far', () => {
    const { value, fixes } = quantile(0.5, [
      [1, 10],
      [2, 4],
      [3, 8],
      [Infinity, 20],
    ]);
    expect([value, fixes]).toEqual([1, [{ minBucket: 2, maxBucket: 3, maxDiff: 6 }]]);
  });

  it('takes tiny differences for noise and says nothing', () => {
    expect(
      quantile(0.5, [
        [1, 10],
        [2, 10 - 1e-13],
        [Infinity, 20],
      ]).fixes,
    ).toEqual([]);
  });
});

describe('the share of observations', () => {
  it('between 0 and a quantile is that quantile, inside the finite buckets', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 10 });
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (sizes, q) => {
        let total = 0;
        const pairs = sizes.map((size, i) => {
          total += size;
          return [i + 1, total] as const;
        });
        const all = [...pairs, [Infinity, total] as const];
        const value = bucketQuantile(q, make(all), () => undefined);
        expect(Math.abs(bucketFraction(0, value, make(all)) - q)).toBeLessThan(1e-9);
      }),
    );
  });

  it.each([
    ['is 0 where the bounds are the wrong way round', 2, 1, 0],
    ['is 1 over everything', -Infinity, Infinity, 1],
    ['is NaN for NaN', Number.NaN, 1, Number.NaN],
  ])('%s', (_, lower, upper, expected) => {
    expect(
      bucketFraction(
        lower,
        upper,
        make([
          [1, 10],
          [Infinity, 20],
        ]),
      ),
    ).toBe(expected);
  });
});
