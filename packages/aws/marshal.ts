import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import type { Attribute, Item, ItemKey } from '#ports/table.ts';

const MAX_KEY_BYTES = 1_024;
// The range of a DynamoDB number is smaller than a double's.
const MAX_NUMBER = 9.99e125;
const MIN_NUMBER = 1e-130;

/** An attribute in DynamoDB's typed form; `input` where DynamoDB could not give it back the same. */
export function marshalValue(value: Attribute, name: string): AttributeValue {
  if (name === '') throw new OpsError('input', 'an attribute has an empty name');
  if (typeof value === 'string') return { S: checkText(value, name) };
  if (typeof value === 'number') return { N: checkNumber(value, name) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (Array.isArray(value)) return { L: value.map((element: string | number) => marshalValue(element, name)) };
  throw new OpsError('input', `attribute "${name}": ${typeof value} cannot be stored; give a string, number, boolean, bytes or a list`);
}

/** The reverse of marshalValue; a type that this program never writes is `input`. */
export function unmarshalValue(value: AttributeValue, name: string): Attribute {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.L !== undefined) return value.L.map((element) => unmarshalValue(element, name)) as string[] | number[];
  throw new OpsError(
    'input',
    `attribute "${name}": the item holds the DynamoDB type ${Object.keys(value)[0]}, expected S, N, BOOL, B or L`,
  );
}

/** A whole item; attributes that are undefined are left out. */
export function marshalItem(item: Item): Record<string, AttributeValue> {
  const marshalled: Record<string, AttributeValue> = marshalKey(item);
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined && name !== 'pk' && name !== 'sk') marshalled[name] = marshalValue(value, name);
  }
  return marshalled;
}

export function unmarshalItem(item: Record<string, AttributeValue>): Item {
  const unmarshalled: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(item)) unmarshalled[name] = unmarshalValue(value, name);
  return unmarshalled as Item;
}

/** The key alone, checked: 1 to 1,024 bytes of well-formed text each. */
export function marshalKey(key: ItemKey): Record<string, AttributeValue> {
  return { pk: { S: checkKeyPart(key.pk, 'pk') }, sk: { S: checkKeyPart(key.sk, 'sk') } };
}

function checkKeyPart(value: string, name: string): string {
  const bytes = Buffer.byteLength(checkText(value, name));
  if (bytes === 0 || bytes > MAX_KEY_BYTES) throw new OpsError('input', `${name} has ${bytes} bytes, it must have 1 to ${MAX_KEY_BYTES}`);
  return value;
}

/** A lone surrogate would be stored as U+FFFD, so that two different texts became one. */
function checkText(value: string, name: string): string {
  if (!value.isWellFormed()) throw new OpsError('input', `attribute "${name}" is not well-formed Unicode: it has half of a surrogate pair`);
  return value;
}

function checkNumber(value: number, name: string): string {
  const size = Math.abs(value);
  if (Number.isFinite(value) && (size === 0 || (size >= MIN_NUMBER && size <= MAX_NUMBER))) return String(value);
  throw new OpsError('input', `attribute "${name}": ${value} is no number that the table can hold (0, or 1e-130 to 9.99e125 either way)`);
}
