import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSink, putVarint, putZigzag, sinkView } from '#storage/parquet/byte-sink.ts';
import { createSource } from '#storage/parquet/byte-source.ts';
import { type DeltaLayout, putDeltas, takeDeltas } from '#storage/parquet/delta-packed.ts';

const layouts: Record<string, DeltaLayout> = {
  'in blocks of 128': { block: 128, align: 1 },
  'in blocks of 128 on whole bytes': { block: 128, align: 8 },
  'in blocks of 4096': { block: 4096, align: 1 },
  'four bytes wide above a common base': { block: 65_536, align: 8, base: -(2 ** 52), minWidth: 32 },
};

function roundTrip(values: readonly number[], layout: DeltaLayout): number[] {
  const sink = createSink(1);
  putDeltas(sink, Float64Array.from([9, ...values]), 1, values.length + 1, layout);
  const out = new Float64Array(values.length + 2);
  takeDeltas(createSource(sinkView(sink)), values.length, out, 1);
  return [...out.subarray(1, values.length + 1)];
}

/** Values whose spread is at most 2^52, of every width of deltas, with leaps in between. */
const values = fc
  .tuple(
    fc.constantFrom(0, 1, -5, 2 ** 51, -(2 ** 51), 1_700_000_000_000),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 51 }), fc.double({ min: -1, max: 1, noNaN: true })), { minLength: 1, maxLength: 400 }),
  )
  .map(([start, steps]) => {
    const most = 2 ** 51;
    const found = [start];
    for (const [bits, part] of steps) {
      const next = (found[found.length - 1] as number) + Math.round(part * 2 ** bits);
      found.push(Math.min(start + most, Math.max(start - most, next)));
    }
    return found;
  });

describe('deltas', () => {
  for (const [name, layout] of Object.entries(layouts)) {
    it(`come back exactly ${name}`, () => {
      fc.assert(
        fc.property(values, (input) => {
          expect(roundTrip(input, layout)).toEqual(input);
        }),
        { numRuns: 300 },
      );
    });
  }

  it('come back from a series that ends 2^52 above the start of the next', () => {
    const input = [...Array(100).keys()].map((i) => 2 ** 51 + i).concat([...Array(100).keys()].map((i) => -(2 ** 51) + i + 99));
    expect(roundTrip(input, { block: 128, align: 1 })).toEqual(input);
  });

  it('cost one wide miniblock, not a block, where the next series begins far below', () => {
    const run = (start: number) => [...Array(200).keys()].map((i) => start + i + (i % 3));
    const sink = createSink();
    putDeltas(sink, Float64Array.from([...run(1e12), ...run(0)]), 0, 400, { block: 128, align: 1 });
    expect(sink.at).toBeLessThan(400 + 32 * 8);
  });

  it('are refused in another number than expected', () => {
    const sink = createSink();
    putDeltas(sink, Float64Array.of(1, 2, 3), 0, 3, { block: 128, align: 1 });
    expect(() => takeDeltas(createSource(sinkView(sink)), 4, new Float64Array(4), 0)).toThrow('3 deltas where 4 are expected');
  });

  const impossible: [name: string, header: number[], message: string][] = [
    ['of a size that is no multiple of 128', [100, 4, 1], 'delta blocks of 100 values'],
    ['of another number of miniblocks', [128, 2, 1], 'delta blocks of 128 values in 2 miniblocks'],
    ['that are huge', [2 ** 40, 2 ** 35, 1], 'delta blocks of 1099511627776 values'],
  ];
  for (const [name, header, message] of impossible) {
    it(`are refused in blocks ${name}`, () => {
      const sink = createSink();
      for (const number of header) putVarint(sink, number);
      putZigzag(sink, 0);
      expect(() => takeDeltas(createSource(sinkView(sink)), 1, new Float64Array(1), 0)).toThrow(message);
    });
  }

  it('are refused when the bytes end in the middle of a miniblock', () => {
    const sink = createSink();
    putDeltas(
      sink,
      Float64Array.from({ length: 64 }, (_, i) => i * i * 100),
      0,
      64,
      { block: 128, align: 1 },
    );
    for (let size = 0; size < sink.at; size++) {
      expect(() => takeDeltas(createSource(sinkView(sink).subarray(0, size)), 64, new Float64Array(64), 0)).toThrow(
        /corrupt Parquet block/,
      );
    }
  });
});
