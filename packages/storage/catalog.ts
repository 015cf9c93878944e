import { createHash } from 'node:crypto';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Tier } from '#model/tier.ts';
import type { Item, QueryInput, Table, Write } from '#ports/table.ts';
import {
  blockId,
  blockPartition,
  type CatalogEntry,
  fromItem,
  HEAD_SK,
  headKey,
  segmentPartition,
  toItem,
  visibleEntries,
  type Window,
  windowSk,
  windowsPartition,
} from './catalog-entry.ts';

/** What the last commit of a window left beside its blocks. */
export interface WindowHead {
  /** Commits so far; the next one must find this number still there. */
  readonly version: number;
  /** For aggregates: which state of the finer tier they were made from (stateOf). */
  readonly source: string;
}

/** All of a window's entries, replaced ones included, lowest level and generation first. */
export interface WindowState {
  readonly window: Window;
  readonly head: WindowHead;
  readonly entries: readonly CatalogEntry[];
}

/** A window as the list of windows has it. */
export interface WindowItem extends Window {
  readonly segmentShards: number;
}

export interface CommitInput {
  readonly window: Window;
  /** The version read before planning. */
  readonly version: number;
  readonly level: number;
  /** Blocks written, ids still to be given. */
  readonly outputs: readonly Omit<CatalogEntry, 'id' | 'kind' | 'level' | 'inputs'>[];
  readonly inputs: readonly string[];
  readonly source?: string | undefined;
  /** Written in the same transaction: outbox events. */
  readonly alongside?: readonly Write[] | undefined;
}

/** A commit's transaction takes 100 writes. */
export const MAX_COMMIT_OUTPUTS = 90;

/** Every item of a partition, page by page. */
export async function queryAll(table: Table, input: QueryInput): Promise<Item[]> {
  const items: Item[] = [];
  let after = input.after;
  do {
    const page = await retry(() => table.query({ ...input, after }));
    for (const item of page.items) items.push(item);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/**
 * Reads a window for planning or querying. Segments come before blocks and blocks from low to high, and a commit only moves
 * data upward, so what is being compacted meanwhile is met twice at worst and never missed. The head is read first: a commit
 * based on this state fails if any other came after that.
 */
export async function readWindow(table: Table, window: WindowItem): Promise<WindowState> {
  const head = await readHead(table, window);
  const shards = window.tier === 'hot' ? window.segmentShards : 0;
  const segments = await Promise.all(
    Array.from({ length: shards }, (_, shard) => queryAll(table, { pk: segmentPartition(window, shard) })),
  );
  const blocks = await queryAll(table, { pk: blockPartition(window), to: HEAD_SK });
  return { window, head, entries: [...segments.flat(), ...blocks].map(fromItem) };
}

/** The head of a window; version 0 before its first commit. */
export async function readHead(table: Table, window: Window): Promise<WindowHead> {
  const item = await retry(() => table.get(headKey(window)));
  return { version: Number(item?.version ?? 0), source: String(item?.source ?? '') };
}

/** Names the data that a window shows: equal exactly if the visible entries are. */
export function stateOf(state: WindowState): string {
  const ids = visibleEntries(state.entries).map((entry) => entry.id);
  return createHash('sha256').update(ids.join()).digest('base64url');
}

/**
 * Replaces inputs by outputs, all or nothing. `conflict` if the window has changed since it was read; then nothing was done and
 * the blobs written for it are left to the orphan sweep. A commit whose answer got lost is recognised as done.
 */
export async function commitBlocks(table: Table, input: CommitInput, nowMs: number): Promise<CatalogEntry[]> {
  const { window, version, level, inputs } = input;
  if (input.outputs.length > MAX_COMMIT_OUTPUTS)
    throw new OpsError('limit', `a commit holds at most ${MAX_COMMIT_OUTPUTS} blocks, not ${input.outputs.length}`);
  const entries = input.outputs.map((output, number): CatalogEntry => {
    const id = blockId(level, version + 1, number);
    return { ...output, id, kind: 'block', level, createdAtMs: nowMs, inputs: number === 0 ? inputs : undefined };
  });
  const pk = blockPartition(window);
  const writes: Write[] = [
    {
      kind: 'update',
      key: headKey(window),
      changes: { set: { version: version + 1, source: input.source ?? '', committedAtMs: nowMs } },
      condition: version === 0 ? { exists: false } : { equals: { version } },
    },
    ...entries.map((entry): Write => ({ kind: 'put', item: toItem(entry, pk), condition: { exists: false } })),
    ...(input.alongside ?? []),
  ];
  try {
    await retry(() => table.transact(writes));
  } catch (error) {
    if (!(await isCommitted(table, window, entries))) throw error;
  }
  return entries;
}

/** A repeated transaction meets its own first success: the first output under our fresh blob key tells. */
async function isCommitted(table: Table, window: Window, entries: readonly CatalogEntry[]): Promise<boolean> {
  const first = entries[0];
  if (!first) return false;
  const item = await table.get({ pk: blockPartition(window), sk: first.id });
  return item !== undefined && item.key === first.key;
}

/** A tenant's windows of a tier whose days lie in [fromDate, toDate], in order. */
export async function listWindows(table: Table, tenant: string, tier: Tier, fromDate = '0000', toDate = '9999'): Promise<WindowItem[]> {
  const items = await queryAll(table, { pk: windowsPartition(tenant), from: windowSk(tier, fromDate), to: `${windowSk(tier, toDate)}~` });
  return items.map((item) => toWindowItem(tenant, item));
}

/** Makes sure that the window is listed, and gives it as it is listed. */
export async function ensureWindow(table: Table, window: Window, segmentShards: number): Promise<WindowItem> {
  const key = { pk: windowsPartition(window.tenant), sk: windowSk(window.tier, window.date) };
  try {
    await retry(() => table.put({ ...key, segmentShards }, { exists: false }));
    return { ...window, segmentShards };
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const item = await retry(() => table.get(key));
    return item ? toWindowItem(window.tenant, item) : { ...window, segmentShards };
  }
}

function toWindowItem(tenant: string, item: Item): WindowItem {
  const [tier, date] = item.sk.split('#') as [Tier, string];
  return { tenant, tier, date, segmentShards: Number(item.segmentShards ?? 1) };
}
