import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cutter, createCutter } from '#backups/chunks/fast-cdc.ts';
import { corpus } from '#test/corpora.ts';

interface Case {
  readonly name: string;
  readonly input: string | { readonly zeros: number };
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly level: number;
  readonly seed: number;
  readonly chunks: readonly { readonly offset: number; readonly length: number; readonly hash: string }[];
}

const folder = corpus('fastcdc');

describe.skipIf(folder === undefined)('FastCDC 2020 cuts as fastcdc-rs does', () => {
  const { cases } = folder
    ? (JSON.parse(readFileSync(join(folder, 'expected-cuts.json'), 'utf8')) as { cases: readonly Case[] })
    : { cases: [] };
  it.each(cases)('$name', ({ input, min, avg, max, level, seed, chunks }) => {
    const bytes = typeof input === 'string' ? readFileSync(join(folder as string, input)) : Buffer.alloc(input.zeros);
    const cutter = createCutter({ minBytes: min, averageBytes: avg, maxBytes: max, level, seed: BigInt(seed) });
    const cuts = cutAll(cutter, bytes).map(([offset, length]) => {
      const hasCut = offset + length < bytes.length && length < max;
      return { offset, length, hash: cutter.hashAt(bytes, offset, length, !hasCut).toString() };
    });
    expect(cuts).toEqual(chunks.map(({ offset, length, hash }) => ({ offset, length, hash })));
  });
});

describe('the cutter', () => {
  it('finds the same cuts whatever the pieces in which the bytes come', () => {
    const cutter = createCutter({ minBytes: 64, averageBytes: 256, maxBytes: 1_024, level: 1, seed: 7n });
    void fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8_192 }), fc.integer({ min: 1, max: 700 }), (bytes, piece) => {
        expect(cutAll(cutter, bytes, piece)).toEqual(cutAll(cutter, bytes));
      }),
    );
  });

  it.each([{ minBytes: 32 }, { averageBytes: 100 }, { maxBytes: 1 << 25 }, { level: 4 }, { minBytes: 512 }, { averageBytes: 2_048 }])(
    'refuses parameters out of range: %j',
    (wrong) => {
      const parameters = { minBytes: 64, averageBytes: 256, maxBytes: 1_024, level: 1, seed: 0n, ...wrong };
      expect(() => createCutter(parameters)).toThrow(/out of range/);
    },
  );
});

/** [offset, length] of every chunk, the bytes becoming known a piece at a time. */
function cutAll(cutter: Cutter, bytes: Uint8Array, piece = bytes.length || 1): [number, number][] {
  const cuts: [number, number][] = [];
  let offset = 0;
  let known = 0;
  let scan = { scanned: 0, low: 0 };
  while (offset < bytes.length) {
    const length = cutter.findCut(bytes, offset, known, known === bytes.length, scan);
    if (length === 0) {
      known = Math.min(bytes.length, known + piece);
      continue;
    }
    cuts.push([offset, length]);
    offset += length;
    scan = { scanned: 0, low: 0 };
  }
  return cuts;
}
