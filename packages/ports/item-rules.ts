import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { itemSizeBytes, MAX_ITEM_BYTES } from './item-size.ts';
import type { Attribute, Changes, Condition, Item, ItemKey, Write } from './table.ts';

// What a table checks and how it changes items, for the implementations that evaluate writes themselves (memory, SQLite).

const MAX_KEY_BYTES = 1_024;
const MAX_TRANSACT_WRITES = 100;
const MAX_TRANSACT_BYTES = 4 * 1024 * 1024;
// DynamoDB's range of magnitudes is smaller than a double's.
const MIN_MAGNITUDE = 1e-130;
const MAX_MAGNITUDE = 9.99e125;

type Attributes = Record<string, Attribute>;

/** Throws `input` unless both parts are 1 to 1,024 bytes of well-formed text. */
export function assertKey(key: ItemKey): void {
  assertKeyPart('pk', key.pk);
  assertKeyPart('sk', key.sk);
}

/** True if the text can be a partition or sort key. */
export function isKeyPart(value: string): boolean {
  const valid = typeof value === 'string' && value.length > 0 && value.length <= MAX_KEY_BYTES && value.isWellFormed();
  return valid && (value.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(value) <= MAX_KEY_BYTES);
}

/** Throws `input` unless the text can be a partition or sort key. */
export function assertKeyPart(name: 'pk' | 'sk', value: string): void {
  if (isKeyPart(value)) return;
  throw new OpsError('input', `${name} ${JSON.stringify(value)?.slice(0, 80)} cannot be a key`, {
    hint: '1 to 1,024 bytes of well-formed text',
  });
}

/** A copy of the item without undefined attributes and negative zeros; `input` if a table cannot hold it. */
export function checkedItem(item: Item): Item {
  assertKey(item);
  const checked: Attributes = {};
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value !== undefined) setAttribute(checked, name, checkedAttribute(name, value));
  }
  assertItemSize(checked as Item);
  return checked as Item;
}

/** Throws `input` if the item is over 400 KB in DynamoDB's count. */
function assertItemSize(item: Item): void {
  const sizeBytes = itemSizeBytes(item);
  if (sizeBytes <= MAX_ITEM_BYTES) return;
  throw new OpsError('input', `item ${item.pk} ${item.sk} has ${sizeBytes} bytes`, { hint: `an item is at most ${MAX_ITEM_BYTES} bytes` });
}

/** Throws `input` if the values compared with could not be attributes. */
export function assertCondition(condition: Condition | undefined): void {
  for (const clause of [condition?.equals, condition?.atMost, condition?.atLeast]) {
    for (const [name, value] of Object.entries(clause ?? {})) if (value !== null) checkedAttribute(name, value);
  }
}

/** Throws `input` if the changes touch the key, name an attribute twice, or could not be attributes. */
export function assertChanges(changes: Changes): void {
  const seen = new Set(['pk', 'sk']);
  const names = [...Object.keys(changes.set ?? {}), ...Object.keys(changes.add ?? {}), ...(changes.remove ?? [])];
  for (const name of names) {
    if (seen.has(name))
      throw new OpsError(
        'input',
        `an update cannot change ${JSON.stringify(name)} ${name === 'pk' || name === 'sk' ? 'of the key' : 'twice'}`,
      );
    seen.add(name);
  }
  for (const [name, value] of Object.entries(changes.set ?? {})) checkedAttribute(name, value);
  for (const [name, value] of Object.entries(changes.add ?? {})) {
    if (typeof value !== 'number') throw new OpsError('input', `only a number can be added to ${JSON.stringify(name)}`);
    checkedNumber(name, value);
  }
}

/** Throws `input` unless there are 1 to 100 valid writes on distinct keys with at most 4 MB. */
export function assertTransaction(writes: readonly Write[]): void {
  if (writes.length < 1 || writes.length > MAX_TRANSACT_WRITES) {
    throw new OpsError('input', `a transaction of ${writes.length} writes is not possible`, { hint: `1 to ${MAX_TRANSACT_WRITES} writes` });
  }
  const keys = new Set<string>();
  let sizeBytes = 0;
  for (const write of writes) {
    assertWrite(write);
    const { pk, sk } = write.kind === 'put' ? write.item : write.key;
    if (write.kind === 'put') sizeBytes += itemSizeBytes(write.item);
    if (write.kind === 'update') sizeBytes += itemSizeBytes(write.changes.set ?? {});
    if (write.kind === 'update' && isWithoutChange(write.changes))
      throw new OpsError('input', 'an update in a transaction must change something');
    keys.add(JSON.stringify([pk, sk]));
  }
  if (keys.size < writes.length) throw new OpsError('input', 'a transaction has two writes on one key');
  if (sizeBytes > MAX_TRANSACT_BYTES) throw new OpsError('input', `a transaction of ${sizeBytes} bytes is over ${MAX_TRANSACT_BYTES}`);
}

/** Throws `input` if the write could not be carried out whatever the table holds. */
export function assertWrite(write: Write): void {
  if (write.kind === 'put') checkedItem(write.item);
  else assertKey(write.key);
  if (write.kind === 'update') assertChanges(write.changes);
  assertCondition(write.condition);
}

/** The number of items a page of a query may have; `input` unless it is a whole number above 0. */
export function queryLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.MAX_SAFE_INTEGER;
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new OpsError('input', `a page of ${limit} items is not possible`, { hint: 'a whole number from 1' });
  return limit;
}

/** True if every clause holds of the item, or of there being none. */
export function conditionHolds(condition: Condition | undefined, item: Item | undefined): boolean {
  if (condition === undefined) return true;
  if (condition.exists !== undefined && condition.exists !== (item !== undefined)) return false;
  const value = (name: string) => (item !== undefined && Object.hasOwn(item, name) ? item[name] : undefined);
  return (
    Object.entries(condition.equals ?? {}).every(([name, wanted]) =>
      wanted === null ? value(name) === undefined : value(name) === wanted,
    ) &&
    Object.entries(condition.atMost ?? {}).every(([name, bound]) => compares(value(name), bound, (order) => order <= 0)) &&
    Object.entries(condition.atLeast ?? {}).every(([name, bound]) => compares(value(name), bound, (order) => order >= 0))
  );
}

/** The error of a write whose condition fails. */
export function conditionFailed(key: ItemKey): OpsError {
  return new OpsError('conflict', `the condition on item ${key.pk} ${key.sk} does not hold`);
}

/** The item after the changes; `input` if it could not be held or if a number would be added to something else. */
export function applyChanges(key: ItemKey, item: Item | undefined, changes: Changes): Item {
  const { pk, sk } = key;
  const changed: Attributes = { ...(item as Attributes | undefined), pk, sk };
  for (const [name, value] of Object.entries(changes.set ?? {})) setAttribute(changed, name, checkedAttribute(name, value));
  for (const [name, value] of Object.entries(changes.add ?? {})) {
    const before = Object.hasOwn(changed, name) ? changed[name] : 0;
    if (typeof before !== 'number') throw new OpsError('input', `attribute ${JSON.stringify(name)} is not a number that one can add to`);
    setAttribute(changed, name, checkedNumber(name, before + value));
  }
  for (const name of changes.remove ?? []) delete changed[name];
  assertItemSize(changed as Item);
  return changed as Item;
}

function isWithoutChange(changes: Changes): boolean {
  return [changes.set, changes.add, changes.remove].every((part) => part === undefined || Object.keys(part).length === 0);
}

function compares(value: Attribute | undefined, bound: string | number, holds: (order: number) => boolean): boolean {
  if (typeof value === 'number' && typeof bound === 'number') return holds(value - bound);
  return typeof value === 'string' && typeof bound === 'string' && holds(compareUtf8(value, bound));
}

/** A plain assignment would take `__proto__` for the prototype. */
function setAttribute(attributes: Attributes, name: string, value: Attribute): void {
  if (name === '__proto__') Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
  else attributes[name] = value;
}

function checkedAttribute(name: string, value: Attribute): Attribute {
  if (name === '' || !name.isWellFormed()) throw new OpsError('input', `${JSON.stringify(name)} cannot be the name of an attribute`);
  if (typeof value === 'string') return checkedText(name, value);
  if (typeof value === 'number') return checkedNumber(name, value);
  if (typeof value === 'boolean') return value;
  // Copied: what the caller does with its bytes later is no write.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((element: string | number) => checkedElement(name, element)) as string[] | number[];
  throw new OpsError('input', `attribute ${JSON.stringify(name)} is neither text, number, boolean, bytes nor a list`);
}

function checkedElement(name: string, element: string | number): string | number {
  if (typeof element === 'string') return checkedText(name, element);
  if (typeof element === 'number') return checkedNumber(name, element);
  throw new OpsError('input', `the list ${JSON.stringify(name)} holds something that is neither text nor number`);
}

function checkedText(name: string, value: string): string {
  if (value.isWellFormed()) return value;
  throw new OpsError('input', `attribute ${JSON.stringify(name)} is not well-formed text`);
}

function checkedNumber(name: string, value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return 0;
  if (magnitude >= MIN_MAGNITUDE && magnitude <= MAX_MAGNITUDE) return value;
  throw new OpsError('input', `attribute ${JSON.stringify(name)} cannot be ${value}`, {
    hint: 'a number is 0 or of a magnitude from 1e-130 to 9.99e125',
  });
}
