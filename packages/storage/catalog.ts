import { createHash } from 'node:crypto';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { HOUR_MS } from '#core/time.ts';
import type { Tier } from '#model/tier.ts';
import type { Condition, Item, ItemKey, QueryInput, Table, Write } from '#ports/table.ts';
import {
  blockId,
  blockPartition,
  type CatalogEntry,
  dayStart,
  fromItem,
  HEAD_SK,
  headKey,
  replacedAt,
  segmentPartition,
  siblingsOf,
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
  /** For aggregates: which state of the raw tier that goes back to. */
  readonly root: string;
  /** When the last commit took place; 0 before the first. */
  readonly committedAtMs: number;
  /** An expiry is looking whether anything came since it planned: nothing may join, and everything still counts. */
  readonly closed: boolean;
  /** The window's retention is over: what is still there is being deleted, nothing may join it, and nothing is derived from it. */
  readonly expired: boolean;
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
  /** As it was read before planning. */
  readonly head: WindowHead;
  readonly level: number;
  /** Blocks written, ids still to be given. */
  readonly outputs: readonly Omit<CatalogEntry, 'id' | 'kind' | 'level' | 'inputs'>[];
  readonly inputs: readonly string[];
  readonly source?: string | undefined;
  readonly root?: string | undefined;
  /** Written in the same transaction: outbox events, conditions on other items. */
  readonly alongside?: readonly Write[] | undefined;
}

/** A commit's transaction takes 100 writes. */
const MAX_COMMIT_OUTPUTS = 90;
/** An attempt this old is given up: the orphan sweep may take its objects after a day. */
export const MAX_ATTEMPT_MS = 6 * HOUR_MS;
const TORN_READS = 8;

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
 * based on this state fails if any other came after that. DynamoDB may show a query some items of a transaction without the
 * others: a commit seen in part is read again.
 */
export async function readWindow(table: Table, window: WindowItem): Promise<WindowState> {
  const head = await readHead(table, window);
  const shards = window.tier === 'hot' ? window.segmentShards : 0;
  const segments = await Promise.all(
    Array.from({ length: shards }, (_, shard) => queryAll(table, { pk: segmentPartition(window, shard) })),
  );
  for (let read = 1; ; read++) {
    const blocks = await queryAll(table, { pk: blockPartition(window), to: HEAD_SK });
    const entries = [...segments.flat(), ...blocks].map(fromItem);
    if (head.expired || !isTorn(entries)) return { window, head, entries };
    if (read === TORN_READS) throw new OpsError('unavailable', `a commit of ${blockPartition(window)} is there only in part`);
  }
}

/** True if the first block of a commit is in sight and another of it neither is nor has been replaced since. */
function isTorn(entries: readonly CatalogEntry[]): boolean {
  if (!entries.some(({ siblings = 1 }) => siblings > 1)) return false;
  const replaced = replacedAt(entries);
  const ids = new Set(entries.map((entry) => entry.id));
  return entries.some((entry) => !replaced.has(entry.id) && siblingsOf(entry).some((id) => !ids.has(id) && !replaced.has(id)));
}

/** The head of a window; version 0 before its first commit. */
export async function readHead(table: Table, window: Window): Promise<WindowHead> {
  const item = await retry(() => table.get(headKey(window)));
  return {
    version: Number(item?.version ?? 0),
    source: String(item?.source ?? ''),
    root: String(item?.root ?? ''),
    committedAtMs: Number(item?.committedAtMs ?? 0),
    closed: item?.closed === true,
    expired: item?.expired === true,
  };
}

/** The condition that a window's head still has this version. */
export function headUnchanged({ version }: WindowHead): Condition {
  return version === 0 ? { exists: false } : { equals: { version } };
}

/** Names the data that a window shows: equal exactly if the visible entries are. */
export function stateOf(state: WindowState): string {
  const ids = visibleEntries(state.entries).map((entry) => entry.id);
  return createHash('sha256').update(ids.join()).digest('base64url');
}

/**
 * Replaces inputs by outputs, all or nothing; without outputs an entry that has no rows stands for the inputs. `conflict` if the
 * window has changed since it was read; then nothing was done and the blobs written for it are left to the orphan sweep. A commit
 * whose answer got lost is recognised as done.
 */
export async function commitBlocks(table: Table, input: CommitInput, nowMs: number): Promise<CatalogEntry[]> {
  const { window, level, inputs } = input;
  const { version } = input.head;
  if (input.outputs.length > MAX_COMMIT_OUTPUTS)
    throw new OpsError('limit', `a commit holds at most ${MAX_COMMIT_OUTPUTS} blocks, not ${input.outputs.length}`);
  if (input.outputs.some((output) => nowMs - output.createdAtMs > MAX_ATTEMPT_MS))
    throw new OpsError('unavailable', `writing blocks of ${blockPartition(window)} took too long`, { hint: 'The next run begins anew.' });
  const outputs = input.outputs.length > 0 ? input.outputs : [emptyOutput(window)];
  const entries = outputs.map((output, number): CatalogEntry => {
    const first = number === 0 ? { inputs, siblings: outputs.length } : {};
    return { ...output, id: blockId(level, version + 1, number), kind: 'block', level, createdAtMs: nowMs, ...first };
  });
  const pk = blockPartition(window);
  const writes: Write[] = [
    {
      kind: 'update',
      key: headKey(window),
      changes: {
        set: { version: version + 1, source: input.source ?? '', root: input.root ?? '', committedAtMs: nowMs },
        remove: ['closed', 'expired'],
      },
      condition: headUnchanged(input.head),
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

/** What a window shows after a commit of ours, unless others have been there too: then the next commit fails. */
export function stateAfter({ window, head, entries }: WindowState, outputs: readonly CatalogEntry[]): WindowState {
  const committedAtMs = outputs[0]?.createdAtMs ?? head.committedAtMs;
  const blocks = [...entries.filter(({ kind }) => kind === 'block'), ...outputs].sort((a, b) => (a.id < b.id ? -1 : 1));
  const segments = entries.filter(({ kind }) => kind === 'segment');
  return { window, head: { ...head, version: head.version + 1, committedAtMs }, entries: [...segments, ...blocks] };
}

function emptyOutput(window: Window): CommitInput['outputs'][number] {
  const atMs = dayStart(window);
  return { minTs: atMs, maxTs: atMs, rows: 0, bytes: 0, seriesCount: 0, createdAtMs: atMs };
}

/** A repeated transaction meets its own first success: the first output under our fresh blob key tells. */
async function isCommitted(table: Table, window: Window, [first]: readonly CatalogEntry[]): Promise<boolean> {
  if (first?.key === undefined) return false;
  const item = await retry(() => table.get({ pk: blockPartition(window), sk: first.id }));
  return item !== undefined && item.key === first.key;
}

/** A tenant's windows of a tier whose days lie in [fromDate, toDate], in order. */
export async function listWindows(table: Table, tenant: string, tier: Tier, fromDate = '0000', toDate = '9999'): Promise<WindowItem[]> {
  const items = await queryAll(table, { pk: windowsPartition(tenant), from: windowSk(tier, fromDate), to: `${windowSk(tier, toDate)}~` });
  return items.map((item) => toWindowItem(tenant, item));
}

/** Where the window is listed. */
export function windowKey({ tenant, tier, date }: Window): ItemKey {
  return { pk: windowsPartition(tenant), sk: windowSk(tier, date) };
}

/** Makes sure that the window is listed, and gives it as it is listed. */
export async function ensureWindow(table: Table, window: Window, segmentShards: number): Promise<WindowItem> {
  const key = windowKey(window);
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
