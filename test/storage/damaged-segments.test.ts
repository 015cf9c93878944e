import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { seriesFromJson } from '#model/series.ts';
import type { Attribute } from '#ports/table.ts';
import { type CatalogEntry, fromItem, toItem } from '#storage/catalog-entry.ts';
import { decodeSegment, encodeSegment } from '#storage/segment.ts';

const T = 1_700_000_000_000;
const series = Array.from({ length: 5 }, (_, i) => seriesFromJson('m', `{"i":"${i}"}`));
const whole = encodeSegment(
  {
    series,
    seriesIndex: Uint32Array.from([0, 1, 2, 3, 4, 0]),
    ts: Float64Array.from([T, T, T + 1, T + 2, T + 3, T + 4]),
    value: Float64Array.from([1, Number.NaN, -0, Number.POSITIVE_INFINITY, 5e-324, 2]),
    flags: Uint8Array.from([0, 1, 2, 3, 0, 0]),
    startTs: Float64Array.from([T, Number.NaN, T, T, T, T]),
  },
  T,
).bytes;

/** Reads the bytes or is refused as a damaged segment; any other error fails the test. */
function attempt(bytes: Uint8Array): number | undefined {
  try {
    const { series: read, seriesIndex, ts, value, flags } = decodeSegment(bytes);
    expect([seriesIndex.length, value.length, flags.length]).toEqual([ts.length, ts.length, ts.length]);
    expect(seriesIndex.every((index) => index < read.length)).toBe(true);
    return ts.length;
  } catch (error) {
    if (!isOpsError(error, 'input') || !error.message.startsWith('not a readable segment: ')) throw error;
    return undefined;
  }
}

describe('a segment', () => {
  it('reads as a whole', () => expect(attempt(whole)).toBe(6));

  it('is refused when it is cut anywhere', () => {
    for (let length = 0; length < whole.length; length++) expect(attempt(whole.slice(0, length))).toBeUndefined();
  });

  it('reads or is refused with some bytes changed, or of any bytes at all', () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = whole.slice();
        for (const [at, byte] of list) bytes[at] = byte;
        attempt(bytes);
      }),
      { numRuns: 3000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => void attempt(Buffer.concat([whole.subarray(0, 32), tail]))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void attempt(bytes)));
  });
});

describe('an item of the catalog', () => {
  const entry: CatalogEntry = {
    id: '1#0000000001#0000',
    kind: 'block',
    level: 1,
    minTs: T,
    maxTs: T + 1,
    rows: 2,
    bytes: 100,
    seriesCount: 1,
    createdAtMs: T,
    key: 'k',
    inputs: ['a'],
    siblings: 1,
  };
  const item = toItem(entry, 'blk/metrics/a/hot/2023-11-14');

  it('gives back its entry', () => expect(fromItem(item)).toEqual(entry));

  it('reads or is told of as damaged, whatever its attributes are', () => {
    const attribute = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.uint8Array({ maxLength: 3 }), fc.constant(undefined));
    const field = fc.constantFrom('kind', 'level', 'minTs', 'maxTs', 'rows', 'bytes', 'seriesCount', 'createdAtMs');
    fc.assert(
      fc.property(field, attribute as fc.Arbitrary<Attribute>, (name, value) => {
        const damaged = { ...item, [name]: value };
        if (typeof value === typeof item[name]) expect(fromItem(damaged)).toMatchObject({ [name]: value });
        else expect(() => fromItem(damaged)).toThrow(`catalog item ${item.pk} ${item.sk} lacks ${name}`);
      }),
    );
  });
});
