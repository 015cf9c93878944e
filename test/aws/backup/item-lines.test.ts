import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attributes, decodeItem, encodeItem, splitLines } from '#aws/backup/item-lines.ts';
import { gather, inPieces } from './table-fixtures.ts';

const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed());
const bytes = fc.uint8Array({ maxLength: 20 });
const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom('12345678901234567890123456789012345678', '1E-130', '-0.00000000000000000001'),
);
const unique = <T>(value: fc.Arbitrary<T>, selector: (value: T) => unknown) =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 5, selector });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text.map((S) => ({ S })),
    number.map((N) => ({ N })),
    bytes.map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    unique(text, (member) => member).map((SS) => ({ SS: [...SS].sort() })),
    unique(number, (member) => member).map((NS) => ({ NS: [...NS].sort() })),
    unique(bytes, (member) => Buffer.from(member).toString('hex')).map((BS) => ({ BS })),
    fc.array(tie('value'), { maxLength: 4 }).map((L) => ({ L })),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }).map((M) => ({ M: { ...M } })),
  ),
}));
const item = fc.dictionary(text, value, { maxKeys: 6 }).map((members) => ({ ...members }) as Attributes);

describe('lines of items', () => {
  it('decode to the item that they were made of', () => {
    fc.assert(
      fc.property(item, (given) => {
        const line = encodeItem(given);
        expect(line).not.toContain('\n');
        expect(encodeItem(decodeItem(line))).toBe(line);
        expect(Object.keys(decodeItem(line)).sort()).toEqual(Object.keys(given).sort());
      }),
    );
  });

  it('are equal for equal items, whatever the order of attributes and members of sets', () => {
    const one = { b: { S: '' }, 10: { NS: ['2', '10'] }, 9: { BS: [new Uint8Array([2]), new Uint8Array([1])] }, ä: { SS: ['z', 'a'] } };
    const other = { ä: { SS: ['a', 'z'] }, 9: { BS: [new Uint8Array([1]), new Uint8Array([2])] }, b: { S: '' }, 10: { NS: ['10', '2'] } };
    expect(encodeItem(one)).toBe(encodeItem(other));
    expect(encodeItem(one)).toBe('{"10":{"NS":["10","2"]},"9":{"BS":["AQ==","Ag=="]},"b":{"S":""},"ä":{"SS":["a","z"]}}');
  });

  it('keep an attribute of any name as an attribute', () => {
    const decoded = decodeItem('{"__proto__":{"S":"x"},"constructor":{"N":"1"}}');
    expect(Object.keys(decoded)).toEqual(['__proto__', 'constructor']);
    expect(encodeItem(decoded)).toBe('{"__proto__":{"S":"x"},"constructor":{"N":"1"}}');
  });

  it.each([
    '',
    '{',
    '[]',
    '{"a":1}',
    '{"a":{"X":"b"}}',
    '{"a":{"S":1}}',
    '{"a":{"S":"a","N":"1"}}',
    '{"a":{}}',
    '{"a":{"L":{}}}',
    '{"a":null}',
  ])('refuse %j', (line) => {
    expect(() => decodeItem(line)).toThrow(expect.objectContaining({ kind: 'input' }));
  });

  it('come out of pieces of any size as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text.map((line) => line.replaceAll('\n', ' '))),
        fc.integer({ min: 1, max: 9 }),
        async (lines, pieceBytes) => {
          const whole = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          expect(await gather(splitLines(inPieces(whole, pieceBytes)))).toEqual(lines);
        },
      ),
    );
  });

  it.each([
    ['the last is cut off', Buffer.from('{}\n{')],
    ['one is longer than any item', Buffer.alloc(5_000_000, 0x20)],
  ])('are refused where %s', async (_case, whole) => {
    await expect(gather(splitLines(inPieces(whole, 1_000_000)))).rejects.toMatchObject({ kind: 'input' });
  });
});
