import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECIMAL_KIND, DOUBLE_KIND, type SplitColumns, STALE_KIND, splitRun } from '#storage/parquet/decimal.ts';
import { anyDouble, bitsOf } from './arbitrary-blocks.ts';

function split(values: readonly number[], stale?: readonly number[]): SplitColumns {
  const rows = values.length;
  const out = {
    kind: new Uint8Array(rows),
    mantissa: new Float64Array(rows),
    exponent: new Uint8Array(rows),
    double: new Float64Array(rows),
    decimals: 0,
    doubles: 0,
  };
  splitRun(Float64Array.from(values), stale === undefined ? undefined : Uint8Array.from(stale), out, 0);
  return out;
}

function join({ kind, mantissa, exponent, double }: SplitColumns): (number | undefined)[] {
  let [decimals, doubles] = [0, 0];
  return Array.from(kind, (k) => {
    if (k === STALE_KIND) return undefined;
    if (k === DOUBLE_KIND) return double[doubles++];
    return (mantissa[decimals] as number) / 10 ** (exponent[decimals++] as number);
  });
}

const decimalsOf = (out: SplitColumns) => Array.from({ length: out.decimals }, (_, i) => [out.mantissa[i], out.exponent[i]]);

describe('splitting values into decimals', () => {
  it('is exact to the bit for any doubles', () => {
    fc.assert(
      fc.property(fc.array(anyDouble, { maxLength: 50 }), (values) => {
        expect(join(split(values)).map((value) => bitsOf(value as number))).toEqual(values.map(bitsOf));
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays within a mantissa of 2^53 and exponents from 0 to 22', () => {
    fc.assert(
      fc.property(fc.array(anyDouble, { maxLength: 50 }), (values) => {
        for (const [mantissa, exponent] of decimalsOf(split(values))) {
          expect(Number.isInteger(mantissa) && Math.abs(mantissa as number) <= 2 ** 53).toBe(true);
          expect(exponent).toBeLessThanOrEqual(22);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  const runs: [name: string, values: number[], expected: (number | undefined)[][]][] = [
    [
      'whole numbers keep exponent 0',
      [1, 2, -3],
      [
        [1, 0],
        [2, 0],
        [-3, 0],
      ],
    ],
    [
      'a run shares the exponent of its longest decimal',
      [1, 0.5, 0.25, 3],
      [
        [100, 2],
        [50, 2],
        [25, 2],
        [300, 2],
      ],
    ],
    [
      'a value too great for the shared exponent keeps a lower one',
      [2 ** 53, 0.5],
      [
        [2 ** 53, 0],
        [5, 1],
      ],
    ],
    [
      'small decimals find their exponent',
      [0.000039653, 0.00003335],
      [
        [39653, 9],
        [33350, 9],
      ],
    ],
    [
      'zero goes with any exponent',
      [0, 0.1],
      [
        [0, 1],
        [1, 1],
      ],
    ],
  ];
  for (const [name, values, expected] of runs) {
    it(name, () => {
      expect(decimalsOf(split(values))).toEqual(expected);
    });
  }

  it('leaves what is not decimal a double, sample by sample', () => {
    const out = split([1, Number.NaN, 2, -0, 3, Number.POSITIVE_INFINITY, 1 / 3, 4], [0, 0, 0, 0, 0, 0, 0, 1]);
    expect([...out.kind]).toEqual([
      DECIMAL_KIND,
      DOUBLE_KIND,
      DECIMAL_KIND,
      DOUBLE_KIND,
      DECIMAL_KIND,
      DOUBLE_KIND,
      DOUBLE_KIND,
      STALE_KIND,
    ]);
    expect([...out.double.subarray(0, 4)]).toEqual([Number.NaN, -0, Number.POSITIVE_INFINITY, 1 / 3]);
  });

  it('stores a noisy run as doubles even where it meets a short decimal', () => {
    const noise = Array.from({ length: 100 }, (_, i) => (i === 50 ? 0 : Math.log(i + 2) / 1000));
    expect([...new Set(split(noise).kind)]).toEqual([DOUBLE_KIND]);
  });
});
