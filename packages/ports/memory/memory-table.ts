import { compareUtf8 } from '#core/text.ts';
import {
  applyChanges,
  assertChanges,
  assertCondition,
  assertKey,
  assertKeyPart,
  assertTransaction,
  assertWrite,
  checkedItem,
  conditionFailed,
  conditionHolds,
  queryLimit,
} from '#ports/item-rules.ts';
import { itemSizeBytes } from '#ports/item-size.ts';
import type { Item, ItemKey, QueryInput, QueryPage, Table, Write } from '#ports/table.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

const PAGE_BYTES = 1024 * 1024;

/** A table in memory, with a look inside for tests. */
export interface MemoryTable extends Table {
  /** Every item, in no order. */
  items(): Item[];
}

type Partitions = Map<string, Map<string, Item>>;

/** Makes a table that lives in memory. Items past their expiry stay until they are deleted, which the port permits. */
export function createMemoryTable(options: MemoryOptions = {}): MemoryTable {
  const partitions: Partitions = new Map();
  return {
    items: () => [...partitions.values()].flatMap((partition) => [...partition.values()].map(checkedItem)),
    async get(key) {
      assertKey(key);
      return inTurn(options, () => copyOf(partitions.get(key.pk)?.get(key.sk)));
    },
    async put(item, condition) {
      const write = snapshot({ kind: 'put', item, condition });
      return inTurn(options, () => writeAll(partitions, [write]));
    },
    async update(key, changes, condition) {
      assertChanges(changes);
      const write = snapshot({ kind: 'update', key, changes, condition });
      return inTurn(options, () => {
        writeAll(partitions, [write]);
        return copyOf(partitions.get(key.pk)?.get(key.sk)) as Item;
      });
    },
    async delete(key, condition) {
      const write = snapshot({ kind: 'delete', key, condition });
      return inTurn(options, () => writeAll(partitions, [write]));
    },
    async query(input) {
      assertKeyPart('pk', input.pk);
      const limit = queryLimit(input.limit);
      return inTurn(options, () => queryItems(partitions.get(input.pk), input, limit));
    },
    async transact(writes) {
      assertTransaction(writes);
      const copies = writes.map(snapshot);
      return inTurn(options, () => writeAll(partitions, copies));
    },
    async batch(writes) {
      const copies = writes.map(snapshot);
      // Each by itself: others may see some of them before the rest.
      await Promise.all(copies.map((write) => inTurn(options, () => writeAll(partitions, [write]))));
    },
  };
}

/** The write checked and copied, so that what the caller does with its objects later is no write. */
function snapshot(write: Write): Write {
  if (write.kind === 'put') {
    assertCondition(write.condition);
    return { ...write, item: checkedItem(write.item) };
  }
  assertWrite(write);
  return structuredClone(write);
}

function copyOf(item: Item | undefined): Item | undefined {
  return item && checkedItem(item);
}

/** All or none: every outcome is worked out before the first is stored. */
function writeAll(partitions: Partitions, writes: readonly Write[]): void {
  const outcomes = writes.map((write) => {
    const { pk, sk }: ItemKey = write.kind === 'put' ? write.item : write.key;
    const before = partitions.get(pk)?.get(sk);
    if (!conditionHolds(write.condition, before)) throw conditionFailed({ pk, sk });
    return { pk, sk, after: itemAfter(write, before) };
  });
  for (const { pk, sk, after } of outcomes) {
    const partition = partitions.get(pk) ?? new Map<string, Item>();
    if (after) partition.set(sk, after);
    else partition.delete(sk);
    if (partition.size > 0) partitions.set(pk, partition);
    else partitions.delete(pk);
  }
}

function itemAfter(write: Write, before: Item | undefined): Item | undefined {
  if (write.kind === 'put') return write.item;
  if (write.kind === 'update') return applyChanges(write.key, before, write.changes);
  return write.kind === 'check' ? before : undefined;
}

function queryItems(partition: ReadonlyMap<string, Item> | undefined, input: QueryInput, limit: number): QueryPage {
  const direction = input.reverse ? -1 : 1;
  const found = [...(partition?.values() ?? [])]
    .filter(({ sk }) => input.from === undefined || compareUtf8(sk, input.from) >= 0)
    .filter(({ sk }) => input.to === undefined || compareUtf8(sk, input.to) < 0)
    .filter(({ sk }) => input.after === undefined || compareUtf8(sk, input.after) * direction > 0)
    .sort((a, b) => compareUtf8(a.sk, b.sk) * direction);
  let sizeBytes = 0;
  let count = 0;
  while (count < found.length && count < limit && sizeBytes < PAGE_BYTES) sizeBytes += itemSizeBytes(found[count++]);
  const items = found.slice(0, count).map(checkedItem);
  return count < found.length ? { items, next: found[count - 1].sk } : { items };
}
