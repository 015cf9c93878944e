import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { checkedItem } from '#ports/item-rules.ts';
import type { Attribute, Item } from '#ports/table.ts';

/** An item as one line of DynamoDB's typed JSON, without its newline; equal items give equal lines. */
export function encodeItemLine(item: Item): string {
  const members = Object.keys(item)
    .filter((name) => item[name] !== undefined)
    .sort(compareUtf8)
    .map((name) => `${JSON.stringify(name)}:${encodeAttribute(item[name] as Attribute)}`);
  return `{${members.join(',')}}`;
}

function encodeAttribute(value: Attribute): string {
  if (typeof value === 'string') return `{"S":${JSON.stringify(value)}}`;
  if (typeof value === 'number') return `{"N":"${Object.is(value, -0) ? 0 : value}"}`;
  if (typeof value === 'boolean') return `{"BOOL":${value}}`;
  if (value instanceof Uint8Array) return `{"B":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`;
  return `{"L":[${value.map(encodeAttribute).join(',')}]}`;
}

/** The item of a line, checked; `input` for any other text. */
export function decodeItemLine(line: string): Item {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new OpsError('input', 'a line of the catalog is not JSON', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw notAnItem();
  return checkedItem(Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, decodeAttribute(value)])) as Item);
}

function decodeAttribute(typed: unknown): Attribute {
  const [[type, value] = [], ...more] = Object.entries((typed ?? {}) as object);
  if (more.length > 0) throw notAnItem();
  if (type === 'S' && typeof value === 'string') return value;
  if (type === 'N' && typeof value === 'string' && Number.isFinite(Number(value))) return Number(value);
  if (type === 'BOOL' && typeof value === 'boolean') return value;
  if (type === 'B' && typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
  if (type === 'L' && Array.isArray(value)) return value.map(decodeAttribute) as string[] | number[];
  throw notAnItem();
}

function notAnItem(): OpsError {
  return new OpsError('input', 'a line of the catalog is no item');
}
