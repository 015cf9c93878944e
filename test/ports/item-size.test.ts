import { describe, expect, it } from 'vitest';
import { itemSizeBytes } from '#ports/item-size.ts';

describe('itemSizeBytes', () => {
  it.each([
    ['names and strings in UTF-8', { pk: 'é', sk: '€€' }, 2 + 2 + 2 + 6],
    ['bytes by their number', { b: new Uint8Array(100) }, 101],
    ['a boolean as one', { b: true }, 2],
    ['zero as one', { n: 0 }, 2],
    ['one digit as two', { n: 7 }, 3],
    ['four digits as three', { n: 1234 }, 4],
    ['trailing zeros as nothing', { n: 12_000_000 }, 3],
    ['leading zeros as nothing', { n: 0.0012 }, 3],
    ['a sign as one more', { n: -12 }, 4],
    ['seventeen digits as ten', { n: 0.30000000000000004 }, 11],
    ['an exponent as nothing', { n: 1.5e300 }, 3],
    ['an empty list as three', { l: [] }, 4],
    ['a list with one more for each element', { l: ['ab', 'c'] }, 1 + 3 + 3 + 2],
    ['undefined as nothing', { u: undefined }, 0],
  ])('counts %s', (_case, item, sizeBytes) => {
    expect(itemSizeBytes(item)).toBe(sizeBytes);
  });
});
