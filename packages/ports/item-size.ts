import type { Attribute } from './table.ts';

/** The largest item that a table takes, in DynamoDB's count. */
export const MAX_ITEM_BYTES = 400 * 1024;

/**
 * Bytes of an item as DynamoDB counts them for limits and bills: UTF-8 bytes of every attribute's name, plus of a string its
 * UTF-8 bytes, of bytes their number, of a boolean 1, of a number half a byte per significant digit and 1 (1 more where it is
 * negative), of a list 3 and its elements with 1 each. Attributes that are `undefined` count nothing.
 * Formula: DynamoDB developer guide, "item sizes and formats"; of numbers it says itself that it is approximate.
 */
export function itemSizeBytes(item: Readonly<Record<string, Attribute | undefined>>): number {
  let size = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) size += Buffer.byteLength(name) + attributeSizeBytes(value);
  }
  return size;
}

/** Bytes of one attribute's value, without its name. */
export function attributeSizeBytes(value: Attribute): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return numberSizeBytes(value);
  if (typeof value === 'boolean') return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  let size = 3;
  for (const element of value) size += 1 + attributeSizeBytes(element);
  return size;
}

function numberSizeBytes(value: number): number {
  const digits = Math.abs(value).toString().replace(/e.*$/, '').replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}
