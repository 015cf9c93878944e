import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeExpressions } from '#aws/expressions.ts';
import { marshalItem, marshalKey, unmarshalItem, unmarshalValue } from '#aws/marshal.ts';
import type { Attribute, Item } from '#ports/table.ts';

const text = fc.string({ unit: 'binary' });
const number = fc.double({ noNaN: true, min: -9e125, max: 9e125 }).filter((value) => value === 0 || Math.abs(value) >= 1e-130);
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.uint8Array({ maxLength: 50 }),
  fc.array(text),
  fc.array(number),
);
const name = text.filter((key) => !['', '__proto__', 'pk', 'sk'].includes(key));

describe('marshalling', () => {
  it('gives back every item', () => {
    fc.assert(
      fc.property(fc.dictionary(name, attribute), (attributes) => {
        const item: Item = { ...attributes, pk: 'p', sk: 's' };
        expect(unmarshalItem(marshalItem(item))).toEqual(withoutNegativeZero(item));
      }),
    );
  });

  it('leaves out what is undefined', () => {
    expect(marshalItem({ pk: 'p', sk: 's', gone: undefined })).toEqual({ pk: { S: 'p' }, sk: { S: 's' } });
  });

  it('keeps a list as a list, whatever it holds', () => {
    expect(marshalItem({ pk: 'p', sk: 's', l: ['a', 'a'], e: [] })).toMatchObject({ l: { L: [{ S: 'a' }, { S: 'a' }] }, e: { L: [] } });
  });

  it.each([
    ['an empty key', { pk: '', sk: 's' }],
    ['a key of 1,025 bytes', { pk: 'p', sk: 'x'.repeat(1_025) }],
    ['half a surrogate pair', { pk: '\ud800', sk: 's' }],
  ])('refuses %s', (_case, key) => {
    expect(() => marshalKey(key)).toThrow(expect.objectContaining({ kind: 'input' }));
  });

  it('names a type that it does not know', () => {
    expect(() => unmarshalValue({ NULL: true }, 'x')).toThrow(/"x" holds the DynamoDB type NULL/);
  });
});

describe('writeExpressions', () => {
  it('says nothing where nothing is asked', () => {
    expect(writeExpressions(undefined)).toEqual({});
    expect(writeExpressions({})).toEqual({});
  });

  it('joins every clause, with names and values as placeholders', () => {
    expect(writeExpressions({ exists: true, equals: { a: 1, b: null }, atMost: { a: 2 }, atLeast: { c: 'x' } })).toEqual({
      ConditionExpression: 'attribute_exists(#n0) AND #n1 = :v0 AND attribute_not_exists(#n2) AND #n1 <= :v1 AND #n3 >= :v2',
      ExpressionAttributeNames: { '#n0': 'pk', '#n1': 'a', '#n2': 'b', '#n3': 'c' },
      ExpressionAttributeValues: { ':v0': { N: '1' }, ':v1': { N: '2' }, ':v2': { S: 'x' } },
    });
  });

  it('writes changes beside a condition', () => {
    expect(writeExpressions({ exists: false }, { set: { a: 'x' }, add: { n: 1 }, remove: ['r'] })).toEqual({
      ConditionExpression: 'attribute_not_exists(#n0)',
      UpdateExpression: 'SET #n1 = :v0 ADD #n2 :v1 REMOVE #n3',
      ExpressionAttributeNames: { '#n0': 'pk', '#n1': 'a', '#n2': 'n', '#n3': 'r' },
      ExpressionAttributeValues: { ':v0': { S: 'x' }, ':v1': { N: '1' } },
    });
  });
});

function withoutNegativeZero(item: Item): Item {
  const positive = (value: Attribute | undefined) => (value === 0 ? 0 : Array.isArray(value) ? value.map((v) => (v === 0 ? 0 : v)) : value);
  return Object.fromEntries(Object.entries(item).map(([key, value]) => [key, positive(value)])) as Item;
}
