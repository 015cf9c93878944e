import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteGo, unquoteGo } from '#alerts/go-quote.ts';
import { parseGoFloat } from '#alerts/template/constant.ts';
import { createDuration, formatDuration } from '#alerts/template/go-duration.ts';
import { formatFloat } from '#alerts/template/go-float.ts';
import { formatText } from '#alerts/template/go-format.ts';
import { createTime, formatTime, parseRfc3339 } from '#alerts/template/go-time.ts';
import { parseLayout } from '#alerts/template/go-time-parse.ts';

const free = () => {};
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** A double as a fraction of whole numbers, exactly. */
function exactly(value: number): [bigint, bigint] {
  let scaled = value;
  let shift = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift++;
  }
  return [BigInt(scaled), 1n << shift];
}

/** Rounds half to even after `places` decimals, in whole numbers alone. */
function roundExactly(value: number, places: number): string {
  const [over, under] = exactly(Math.abs(value));
  const scaled = over * 10n ** BigInt(places);
  const rest = (scaled % under) * 2n;
  let rounded = scaled / under;
  if (rest > under || (rest === under && rounded % 2n === 1n)) rounded++;
  const digits = rounded.toString().padStart(places + 1, '0');
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return (value < 0 || Object.is(value, -0) ? '-' : '') + text;
}

describe('a float', () => {
  it('is printed in the shortest form that reads back as the same', () => {
    fc.assert(
      fc.property(finite, fc.constantFrom('e', 'f', 'g'), (value, verb) => {
        expect(parseGoFloat(formatFloat(value, verb, -1))).toBe(value);
      }),
    );
  });

  it('is rounded half to even by its exact value', () => {
    const halves = fc
      .tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 8 }))
      .map(([n, shift]) => n / 2 ** shift);
    fc.assert(
      fc.property(fc.oneof(halves, fc.double({ min: -1e6, max: 1e6, noNaN: true })), fc.integer({ min: 0, max: 8 }), (value, places) => {
        expect(formatFloat(value, 'f', places)).toBe(roundExactly(value, places));
      }),
    );
  });

  it.each([
    [1e21, 'f', 2, '1000000000000000000000.00'],
    [123456789, 'g', -1, '1.23456789e+08'],
    [99999.5, 'g', 5, '1e+05'],
    [2.5, 'e', 0, '2e+00'],
    [0.00001, 'g', -1, '1e-05'],
    [Number.NEGATIVE_INFINITY, 'g', 3, '-Inf'],
  ] as const)('%d by %s with %d gives %s', (value, verb, precision, text) => expect(formatFloat(value, verb, precision)).toBe(text));
});

describe('printf', () => {
  it('never throws, whatever the format', () => {
    const piece = fc.constantFrom(
      '%',
      '%%',
      '+',
      '-',
      '#',
      '0',
      ' ',
      '5',
      '.',
      '*',
      '[1]',
      '[',
      ']',
      '[9]',
      'd',
      's',
      'v',
      'q',
      'x',
      'e',
      'T',
      'é',
      '🐢',
    );
    const arg = fc.oneof(fc.string(), finite, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(piece), fc.array(arg, { maxLength: 4 }), (pieces, args) => {
        expect(formatText(pieces.join(''), args, free)).toBeTypeOf('string');
      }),
    );
  });
});

describe('a quoted text', () => {
  it('reads back as the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (text, ascii) => {
        expect(unquoteGo(quoteGo(text, '"', ascii))).toBe(text);
      }),
    );
  });

  it.each(['"\\x"', '"\\u12"', '"\\400"', '"\\ud800"', `"\\'"`, '"a"b"', '"a\nb"'])('is refused: %j', (text) =>
    expect(unquoteGo(text)).toBeUndefined(),
  );
});

describe('a time', () => {
  const time = fc.bigInt({ min: -62_135_596_800n * 10n ** 9n, max: 253_402_300_799n * 10n ** 9n }).map((ns) => createTime(ns));

  it('reads back as the same from RFC 3339, and from a layout', () => {
    fc.assert(
      fc.property(time, (value) => {
        expect(parseRfc3339(formatTime(value, '2006-01-02T15:04:05.999999999Z07:00'))?.ns).toBe(value.ns);
        const layout = 'Mon, 02 Jan 2006 03:04:05.000000000 PM -0700';
        expect(parseLayout(layout, formatTime(value, layout)).ns).toBe(value.ns);
      }),
    );
  });

  it.each(['2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01 00:00:00Z', 'now'])('is refused: %s', (text) =>
    expect(parseRfc3339(text)).toBeUndefined(),
  );
});

describe('a duration', () => {
  it.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_500n, '1.5µs'],
    [2_000_000n, '2ms'],
    [-1_500_000_000n, '-1.5s'],
    [3_600_000_000_000n, '1h0m0s'],
    [2n ** 63n - 1n, '2562047h47m16.854775807s'],
  ])('of %d ns is %s', (ns, text) => expect(formatDuration(ns)).toBe(text));

  it('is held at what 64 bits can be', () => {
    expect(createDuration(2n ** 70n).value).toBe(2n ** 63n - 1n);
  });
});
