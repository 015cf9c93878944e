import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { createSink, putVarint, putZigzag, sinkView } from '#storage/parquet/byte-sink.ts';
import { createSource, takeVarint, takeZigzag } from '#storage/parquet/byte-source.ts';
import { bool, i32, i64, list, putStruct, struct, takeStruct, text } from '#storage/parquet/thrift.ts';

const whole = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(0, -1, 2 ** 53, -(2 ** 53), 2 ** 32, -(2 ** 32), 2 ** 31));

describe('variable-length numbers', () => {
  it('come back as they were, signed', () => {
    fc.assert(
      fc.property(whole, (value) => {
        const sink = createSink(0);
        putZigzag(sink, value);
        expect(takeZigzag(createSource(sinkView(sink)))).toBe(value);
      }),
    );
  });

  it('come back as they were, unsigned', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const sink = createSink(0);
        putVarint(sink, value);
        expect(takeVarint(createSource(sinkView(sink)))).toBe(value);
      }),
    );
  });

  it('are refused past 2^53, past 64 bits and when they end early', () => {
    const of = (...bytes: number[]) => createSource(Uint8Array.from(bytes));
    const full = Array<number>(9).fill(255);
    expect(() => takeVarint(of(...full, 1))).toThrow('a number past 2^53');
    expect(() => takeZigzag(of(...full, 1))).toThrow('a number past 2^53');
    expect(() => takeZigzag(of(...full, 255, 1))).toThrow('more than 64 bits');
    expect(() => takeVarint(of(128))).toThrow('ends early');
  });
});

describe('metadata structs', () => {
  it('come back field by field', () => {
    const sink = createSink();
    putStruct(sink, [
      [1, i32(-5)],
      [2, list('i32', [...Array(20).keys()].map(i32))],
      [3, list('struct', [struct([1, bool(true)], [2, bool(false)])])],
      [40, text('größe')],
      [41, i64(2 ** 53)],
    ]);
    const read = takeStruct(createSource(sinkView(sink)));
    expect(read.get(1)).toBe(-5);
    expect(read.get(2)).toEqual([...Array(20).keys()]);
    expect(read.get(3)).toEqual([
      new Map([
        [1, true],
        [2, false],
      ]),
    ]);
    expect(new TextDecoder().decode(read.get(40) as Uint8Array)).toBe('größe');
    expect(read.get(41)).toBe(2 ** 53);
  });

  it('are read or refused as input, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          takeStruct(createSource(bytes));
        } catch (error) {
          expect(isOpsError(error, 'input')).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('are refused when nested without end', () => {
    expect(() => takeStruct(createSource(new Uint8Array(100_000).fill(0x1c)))).toThrow('nested more than 16 deep');
    expect(() => takeStruct(createSource(new Uint8Array(100_000).fill(0x19)))).toThrow('nested more than 16 deep');
  });

  it('are refused with a list that claims more items than bytes', () => {
    expect(() => takeStruct(createSource(Uint8Array.of(0x19, 0xf5, 255, 255, 255, 7)))).toThrow('a list of 16777215 items in 0 bytes');
  });
});
