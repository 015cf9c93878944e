import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import { assertKey, checkedItem } from '#ports/item-rules.ts';
import type { Attribute, Item, ItemKey } from '#ports/table.ts';

/** An attribute in DynamoDB's typed form. */
export function marshalValue(value: Attribute): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: Object.is(value, -0) ? '0' : String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  return { L: value.map(marshalValue) };
}

/** The reverse of marshalValue; a type that this program never writes is `input`. */
export function unmarshalValue(value: AttributeValue, name: string): Attribute {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.L !== undefined) return value.L.map((element) => unmarshalValue(element, name)) as string[] | number[];
  throw new OpsError('input', `attribute "${name}" holds the DynamoDB type ${Object.keys(value)[0]}, expected S, N, BOOL, B or L`);
}

/** A whole item, checked; attributes that are undefined are left out. */
export function marshalItem(item: Item): Record<string, AttributeValue> {
  const marshalled: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(checkedItem(item))) marshalled[name] = marshalValue(value as Attribute);
  return marshalled;
}

/** The reverse of marshalItem. */
export function unmarshalItem(item: Record<string, AttributeValue>): Item {
  const unmarshalled: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(item)) unmarshalled[name] = unmarshalValue(value, name);
  return unmarshalled as Item;
}

/** The key alone, checked. */
export function marshalKey(key: ItemKey): { pk: { S: string }; sk: { S: string } } {
  assertKey(key);
  return { pk: { S: key.pk }, sk: { S: key.sk } };
}
