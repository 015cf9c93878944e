import { retry } from '#core/retry.ts';
import type { Table } from '#ports/table.ts';
import { queryAll, type WindowItem } from './catalog.ts';
import { blockPartition, segmentKey, segmentUnique, type Window } from './catalog-entry.ts';

/** Objects of segments that are off the catalog and wait out their grace. */
export interface RetiredObjects {
  readonly sk: string;
  readonly retiredAtMs: number;
  readonly keys: readonly string[];
}

/** Sorts behind the head, so that no reader meets it. */
const PREFIX = 'retired#';
/** Some 25 bytes each: a note is billed by its size, and is to cost little beside the items that it replaces. */
const KEYS_PER_ITEM = 4_000;

/** Puts down which objects of a window are to be deleted once their grace is over. */
export async function noteRetired(
  table: Table,
  window: Window,
  keys: readonly string[],
  nowMs: number,
  newId: () => string,
): Promise<void> {
  const pk = blockPartition(window);
  for (let from = 0; from < keys.length; from += KEYS_PER_ITEM) {
    const uniques = keys.slice(from, from + KEYS_PER_ITEM).map((key) => segmentUnique(window, key));
    const item = { pk, sk: `${PREFIX}${newId()}`, retiredAtMs: nowMs, uniques };
    await retry(() => table.put(item));
  }
}

/** What of a window waits. */
export async function listRetired(table: Table, window: Window): Promise<RetiredObjects[]> {
  const items = await queryAll(table, { pk: blockPartition(window), from: PREFIX, to: `${PREFIX}~` });
  return items.map(({ sk, retiredAtMs, uniques }) => {
    return { sk, retiredAtMs: retiredAtMs as number, keys: (uniques as readonly string[]).map((unique) => segmentKey(window, unique)) };
  });
}

/** Takes the notes back, their objects being gone. */
export async function forgetRetired(table: Table, window: WindowItem, retired: readonly RetiredObjects[]): Promise<void> {
  const pk = blockPartition(window);
  await retry(() => table.batch(retired.map(({ sk }) => ({ kind: 'delete', key: { pk, sk } }))));
}
