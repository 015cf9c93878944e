import fc from 'fast-check';
import { compressSync, uncompressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { uncompressSnappy } from '#ingest/snappy.ts';

/** Text that repeats itself at short and long distances, so that every kind of element comes up. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.integer({ min: 1, max: 40 })), { maxLength: 40 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

function tryReference(block: Uint8Array): Uint8Array | undefined {
  try {
    return uncompressSync(Buffer.from(block), { copyOutputData: true }) as Uint8Array;
  } catch {
    return undefined;
  }
}

function tryOurs(block: Uint8Array): Uint8Array | undefined {
  try {
    return uncompressSnappy(block);
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    return undefined;
  }
}

describe('snappy blocks', () => {
  it('decompress to what the reference compressed', () => {
    fc.assert(fc.property(repetitive, (plain) => Buffer.compare(uncompressSnappy(compressSync(plain)), plain) === 0));
  });

  it('decompress as the reference does them or are refused as it refuses, whatever was damaged', () => {
    fc.assert(
      fc.property(repetitive, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (plain, damages) => {
        const block = Uint8Array.from(compressSync(plain));
        for (const [at, byte] of damages) block[at % block.length] = byte;
        const expected = tryReference(block);
        const got = tryOurs(block);
        expect(got && Buffer.from(got).toString('hex')).toBe(expected && Buffer.from(expected).toString('hex'));
      }),
    );
  });

  it.each([
    ['of a literal with a length of four bytes', [5, 0xfc, 4, 0, 0, 0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5]],
    ['of a copy that overlaps itself', [6, 0x00, 7, 0x05, 1], [7, 7, 7, 7, 7, 7]],
    ['of a copy with an offset of four bytes', [5, 0x00, 9, 0x0f, 1, 0, 0, 0], [9, 9, 9, 9, 9]],
    ['of nothing', [0], []],
  ])('%s', (_, block, plain) => {
    expect([...uncompressSnappy(Uint8Array.from(block))]).toEqual(plain);
  });

  it.each([
    ['without a length', [], 'it does not start with a length'],
    ['whose length does not end', [0x80, 0x80, 0x80, 0x80, 0x80], 'it does not start with a length'],
    ['that says more than its bytes can hold', [0xff, 0x7f, 0], '3 bytes cannot hold 16383'],
    ['with a copy from before the start', [5, 0x01, 1], 'a copy that does not fit'],
    ['with a copy of no distance', [5, 0x00, 1, 0x01, 0], 'a copy that does not fit'],
    ['with a literal past the end', [5, 0x10, 1, 2], 'a literal that does not fit'],
    ['that ends within an element', [5, 0x00, 1, 0x02, 1], 'it ends within an element'],
    ['that holds less than it says', [5, 0x00, 1], 'it ends after 1 of 5 bytes'],
  ])('are refused %s', (_, block, why) => {
    expect(() => uncompressSnappy(Uint8Array.from(block))).toThrow(`the body is not valid snappy: ${why}`);
  });

  it('over 1 MiB have memory of their own', () => {
    const [large, small] = [Buffer.alloc(3 << 20, 'abcdefgh'), Buffer.from('small')];
    const first = uncompressSnappy(compressSync(large));
    uncompressSnappy(compressSync(small));
    expect(Buffer.compare(first, large)).toBe(0);
  });
});
