import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeItem, encodeItem } from '#local/item-codec.ts';
import type { Item } from '#ports/table.ts';

const key = { pk: 'p', sk: 's' };
const text = fc.string({ unit: 'binary' });
const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((value) => value + 0);
const bytes = fc.uint8Array({ maxLength: 2_000 });
const attribute = fc.oneof(text, number, fc.boolean(), bytes, fc.array(text), fc.array(number));
const name = text.filter((candidate) => candidate !== 'pk' && candidate !== 'sk' && candidate !== '__proto__');

describe('item codec', () => {
  it('gives back every item', () => {
    fc.assert(
      fc.property(fc.dictionary(name, attribute, { noNullPrototype: true }), (attributes) => {
        const item = { ...attributes, ...key } as Item;
        expect(decodeItem(key, encodeItem(item))).toStrictEqual(item);
      }),
    );
  });

  it('keeps an attribute called __proto__ as one', () => {
    const item = Object.defineProperty({ ...key }, '__proto__', { value: 'text', enumerable: true }) as Item;
    const back = decodeItem(key, encodeItem(item));
    expect(Object.getOwnPropertyDescriptor(back, '__proto__')?.value).toBe('text');
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  it('encodes items larger than its first buffer', () => {
    const item = { ...key, bytes: new Uint8Array(300_000).fill(3), list: Array.from({ length: 50_000 }, (_, i) => i / 3) };
    expect(decodeItem(key, encodeItem(item))).toStrictEqual(item);
  });

  it('takes few bytes for a small item', () => {
    expect(encodeItem({ ...key, rows: 2_000, name: 'cpu', on: true }).length).toBe(24);
  });

  it('refuses an item cut off anywhere', () => {
    const whole = encodeItem({ ...key, text: 'abc', n: 1.5, whole: 300, bytes: Uint8Array.of(1, 2), list: ['a', 'b'] });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeItem(key, whole.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => decodeItem(key, Uint8Array.of(...whole, 0))).toThrow('past its end');
  });

  it('never hangs on bytes that are no item', () => {
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          decodeItem(key, Uint8Array.of(1, ...body));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
