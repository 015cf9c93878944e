import { describe, expect, it } from 'vitest';
import { seriesFromLabels } from '#model/series.ts';
import { seriesHashShare } from '#query/promql/series-hash.ts';
import { xxhash64 } from '#query/promql/xxhash64.ts';

describe('XXH64', () => {
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('of %j is the published one', (text, hash) => {
    expect(xxhash64(Buffer.from(text))).toBe(hash);
  });
});

describe('where a series falls', () => {
  it('is the same for the same labels and spreads over [0, 1)', () => {
    const shares = Array.from({ length: 500 }, (_, i) => seriesHashShare(seriesFromLabels([{ name: 'i', value: String(i) }])));
    expect(shares).toEqual(Array.from({ length: 500 }, (_, i) => seriesHashShare(seriesFromLabels([{ name: 'i', value: String(i) }]))));
    expect(shares.every((share) => share >= 0 && share < 1)).toBe(true);
    expect(shares.filter((share) => share < 0.5).length).toBeGreaterThan(200);
    expect(shares.filter((share) => share >= 0.5).length).toBeGreaterThan(200);
  });

  it('takes values longer than one length byte', () => {
    expect(seriesHashShare(seriesFromLabels([{ name: 'i', value: 'x'.repeat(300) }]))).toBeLessThan(1);
  });
});
