import { retry } from '#core/retry.ts';
import { readWindow, type WindowItem, type WindowState } from './catalog.ts';
import { blockPartition, type CatalogEntry, segmentPartition, segmentShard } from './catalog-entry.ts';
import { orderDeletion, planCleaning } from './plan-cleaning.ts';
import { cachedSegmentId } from './segment-reader.ts';
import type { StorageDeps } from './storage-deps.ts';

/** Deletes what was replaced longer than the grace ago. Returns how many entries went. */
export async function cleanWindow(deps: StorageDeps, window: WindowItem, graceMs: number): Promise<number> {
  const { entries } = await readWindow(deps.table, window);
  return deleteEntries(deps, window, entries, planCleaning(entries, deps.now(), graceMs));
}

/**
 * Deletes some of a window's entries for good, in an order that lets nothing replaced count again. Objects go before items, so that
 * a crash leaves nothing unlisted. Returns how many entries went.
 */
export async function deleteEntries(
  deps: StorageDeps,
  window: WindowItem,
  entries: WindowState['entries'],
  doomed: readonly CatalogEntry[],
): Promise<number> {
  const batches = orderDeletion(entries, doomed);
  for (const batch of batches) {
    await retry(() => deps.blobs.delete(batch.flatMap((entry) => entry.key ?? [])));
    await retry(() => deps.table.batch(batch.map((entry) => ({ kind: 'delete', key: keyOf(window, entry) }))));
    for (const { id } of batch) deps.cache.delete(cachedSegmentId(window, id));
  }
  return batches.flat().length;
}

function keyOf(window: WindowItem, { id, kind }: CatalogEntry) {
  return { pk: kind === 'block' ? blockPartition(window) : segmentPartition(window, segmentShard(id, window.segmentShards)), sk: id };
}
