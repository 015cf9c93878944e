import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSink, putByte, putVarint, sinkView } from '#storage/parquet/byte-sink.ts';
import { createSource } from '#storage/parquet/byte-source.ts';
import { bitWidth, putHybrid, putRuns, type Runs, takeRuns } from '#storage/parquet/hybrid.ts';

function expand(runs: Runs): number[] {
  return runs.values.flatMap((value, i) => Array<number>(runs.ends[i] - (runs.ends[i - 1] ?? 0)).fill(value));
}

const stretches = fc.array(fc.tuple(fc.nat({ max: 70_000 }), fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }))), { maxLength: 50 });

describe('the hybrid of runs and packed groups', () => {
  it('gives back any numbers', () => {
    fc.assert(
      fc.property(stretches, (input) => {
        const values = Uint32Array.from(input.flatMap(([value, length]) => Array<number>(length).fill(value)));
        const width = bitWidth(Math.max(0, ...values));
        const sink = createSink(1);
        putHybrid(sink, values, 0, values.length, width);
        const runs = takeRuns(createSource(sinkView(sink)), values.length, width, 70_000);
        expect(expand(runs)).toEqual([...values]);
      }),
    );
  });

  it('gives back runs, with equal neighbours joined', () => {
    const sink = createSink();
    putRuns(sink, { values: [3, 3, 0, 500], ends: [2, 5, 6, 1_000_000] }, 9);
    expect(takeRuns(createSource(sinkView(sink)), 1_000_000, 9, 500)).toEqual({ values: [3, 0, 500], ends: [5, 6, 1_000_000] });
  });

  it('packs a long run into a few bytes', () => {
    const sink = createSink();
    putHybrid(sink, new Uint8Array(1_000_000).fill(1), 0, 1_000_000, 1);
    expect(sink.at).toBeLessThan(6);
  });

  const broken: [name: string, bytes: number[], message: string][] = [
    ['a run longer than the rows', [200, 1, 0], 'a run of 100 where 10 values are left'],
    ['more packed groups than rows', [9, 0, 0, 0, 0], '4 bit-packed groups where 10 values are left'],
    ['an empty run', [0, 0], 'an empty run'],
    ['an index past the dictionary', [20, 7], 'index 7 where 5 is the greatest'],
    ['bytes that end early', [16, 1], 'ends early'],
  ];
  for (const [name, bytes, message] of broken) {
    it(`refuses ${name}`, () => {
      expect(() => takeRuns(createSource(Uint8Array.from(bytes)), 10, 3, 5)).toThrow(message);
    });
  }

  it('refuses a run of more than 2^53 rows', () => {
    const sink = createSink();
    for (let i = 0; i < 9; i++) putByte(sink, 255);
    putVarint(sink, 1);
    expect(() => takeRuns(createSource(sinkView(sink)), 10, 1, 1)).toThrow('a number past 2^53');
  });
});
