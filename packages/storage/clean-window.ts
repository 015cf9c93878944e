import { retry } from '#core/retry.ts';
import { readWindow, type WindowItem } from './catalog.ts';
import { blockPartition, type CatalogEntry, segmentPartition, segmentShard } from './catalog-entry.ts';
import { planCleaning } from './plan-cleaning.ts';
import { cachedSegmentId } from './segment-reader.ts';
import type { StorageDeps } from './storage-deps.ts';

/** Deletes what was replaced longer than the grace ago, objects before items so that a crash leaves nothing unlisted. Returns how many entries went. */
export async function cleanWindow(deps: StorageDeps, window: WindowItem, graceMs: number): Promise<number> {
  const { entries } = await readWindow(deps.table, window);
  const retired = planCleaning(entries, deps.now(), graceMs);
  for (const level of new Set(retired.map((entry) => entry.level))) {
    await deleteEntries(
      deps,
      window,
      retired.filter((entry) => entry.level === level),
    );
  }
  return retired.length;
}

/** Deletes entries for good: their objects, then their items. */
export async function deleteEntries(deps: StorageDeps, window: WindowItem, entries: readonly CatalogEntry[]): Promise<void> {
  const keys = entries.flatMap((entry) => entry.key ?? []);
  await retry(() => deps.blobs.delete(keys));
  await retry(() =>
    deps.table.batch(entries.map(({ id, kind }) => ({ kind: 'delete' as const, key: { pk: partitionOf(window, id, kind), sk: id } }))),
  );
  for (const { id } of entries) deps.cache.delete(cachedSegmentId(window, id));
}

function partitionOf(window: WindowItem, id: string, kind: CatalogEntry['kind']): string {
  return kind === 'block' ? blockPartition(window) : segmentPartition(window, segmentShard(id, window.segmentShards));
}
