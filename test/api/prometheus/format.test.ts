import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFloat } from '#api/prometheus/format-float.ts';
import { formatTimestamp } from '#api/prometheus/format-time.ts';
import { createJsonSink, putFloat, takePiece } from '#api/prometheus/json-sink.ts';

describe('values', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1.5, '-1.5'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1e-6, '0.000001'],
    [9.99e-7, '9.99e-07'],
    [-1e-7, '-1e-07'],
    [1.25e-10, '1.25e-10'],
    [5e-324, '5e-324'],
    [123456789012345680000, '123456789012345680000'],
    [1e21, '1e+21'],
    [-1.5e21, '-1.5e+21'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('%s is written %s', (value, text) => {
    expect(formatFloat(value)).toBe(text);
  });

  it('read back as they were, with two digits of exponent or more', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = formatFloat(value);
        expect(Number(text)).toBe(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]\d\d+)?$/);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('values as bytes', () => {
  it('are spelled the same', () => {
    const decimal = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 })).map(([digits, decimals]) => digits / 10 ** decimals);
    const small = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 5 })).map(([n, d]) => n / 10 ** d);
    const edge = fc.constantFrom(0, -0, 1e8, 1e8 - 1, 1e15, 1e15 - 1, 0.0001, 0.00001, 1e-6, 1e21, 5e-324, Number.MAX_VALUE, Number.NaN);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double(), decimal, small, edge), { maxLength: 50 }), (values) => {
        const sink = createJsonSink();
        for (const value of values) putFloat(sink, value);
        expect(Buffer.from(takePiece(sink)).toString()).toBe(values.map(formatFloat).join(''));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('times', () => {
  it.each([
    [0, '0'],
    [1, '0.001'],
    [20, '0.020'],
    [300, '0.300'],
    [1435781451781, '1435781451.781'],
    [1435781451000, '1435781451'],
    [-1, '-0.001'],
    [-1500, '-1.500'],
    [Number.MAX_SAFE_INTEGER, '9007199254740.991'],
  ])('%s ms is written %s', (timeMs, text) => {
    expect(formatTimestamp(timeMs)).toBe(text);
  });
});
