import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { WindowItem, WindowState } from './catalog.ts';
import { blockPartition, type CatalogEntry, replacedAt, segmentPartition, segmentShard } from './catalog-entry.ts';
import { orderDeletion, planCleaning, planTrimming } from './plan-cleaning.ts';
import { forgetRetired, listRetired, noteRetired } from './retired.ts';
import { cachedSegmentId } from './segment-reader.ts';
import type { StorageDeps } from './storage-deps.ts';

/**
 * Takes replaced segments off the catalog at once, since a query would read thousands of them to find that they do not count, and
 * deletes what was replaced longer than the grace ago: objects, and blocks with their items. `entries` are the window's, and may be
 * outdated: what was replaced stays replaced. Returns how many objects and entries went.
 */
export async function cleanWindow(
  deps: StorageDeps,
  window: WindowItem,
  entries: WindowState['entries'],
  graceMs: number,
): Promise<number> {
  const left = await retireSegments(deps, window, entries);
  const objects = await deleteRetired(deps, window, graceMs);
  await trimBlocks(deps, window, planTrimming(left, deps.now(), graceMs));
  return objects + (await deleteEntries(deps, window, left, planCleaning(left, deps.now(), graceMs)));
}

/** The entries that are left. The note comes first: a crash between leaves the segments to be noted again, and no object unlisted. */
async function retireSegments(deps: StorageDeps, window: WindowItem, entries: WindowState['entries']): Promise<readonly CatalogEntry[]> {
  const replaced = replacedAt(entries);
  const segments = entries.filter(({ kind, id }) => kind === 'segment' && replaced.has(id));
  if (segments.length === 0) return entries;
  await noteRetired(
    deps.table,
    window,
    segments.flatMap(({ key }) => key ?? []),
    deps.now(),
    deps.newId,
  );
  await deleteItems(deps, window, segments);
  return entries.filter((entry) => !segments.includes(entry));
}

/** Takes out of the blocks' items what they replaced, which every query would read. */
async function trimBlocks(deps: StorageDeps, window: WindowItem, blocks: readonly CatalogEntry[]): Promise<void> {
  for (const block of blocks) {
    try {
      await retry(() => deps.table.update(keyOf(window, block), { remove: ['inputs'] }, { exists: true }));
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error; // deleted meanwhile
    }
  }
}

/** Deletes the objects of segments that were retired longer than the grace ago. Returns how many. */
async function deleteRetired(deps: StorageDeps, window: WindowItem, graceMs: number): Promise<number> {
  const due = (await listRetired(deps.table, window)).filter(({ retiredAtMs }) => deps.now() - retiredAtMs >= graceMs);
  const keys = due.flatMap((retired) => retired.keys);
  if (due.length === 0) return 0;
  await retry(() => deps.blobs.delete(keys));
  await forgetRetired(deps.table, window, due);
  return keys.length;
}

/** Deletes all that a window has, retired objects too. Returns how many entries went. */
export async function emptyWindow(deps: StorageDeps, window: WindowItem, entries: WindowState['entries']): Promise<number> {
  await deleteRetired(deps, window, Number.NEGATIVE_INFINITY);
  return deleteEntries(deps, window, entries, entries);
}

/**
 * Deletes some of a window's entries for good, in an order that lets nothing replaced count again. Objects go before items, so that
 * a crash leaves nothing unlisted. Returns how many entries went.
 */
async function deleteEntries(
  deps: StorageDeps,
  window: WindowItem,
  entries: WindowState['entries'],
  doomed: readonly CatalogEntry[],
): Promise<number> {
  const batches = orderDeletion(entries, doomed);
  for (const batch of batches) {
    await retry(() => deps.blobs.delete(batch.flatMap((entry) => entry.key ?? [])));
    await deleteItems(deps, window, batch);
  }
  return batches.flat().length;
}

async function deleteItems(deps: StorageDeps, window: WindowItem, entries: readonly CatalogEntry[]): Promise<void> {
  await retry(() => deps.table.batch(entries.map((entry) => ({ kind: 'delete', key: keyOf(window, entry) }))));
  for (const { id } of entries) deps.cache.delete(cachedSegmentId(window, id));
}

function keyOf(window: WindowItem, { id, kind }: CatalogEntry) {
  return { pk: kind === 'block' ? blockPartition(window) : segmentPartition(window, segmentShard(id, window.segmentShards)), sk: id };
}
