import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import type { SampleBatch } from '#model/samples.ts';
import type { AppendInput, SampleStore } from '#ports/sample-store.ts';
import { ensureWindow, type WindowItem } from './catalog.ts';
import { type CatalogEntry, LEVEL, segmentKey, segmentPartition, segmentShard, toItem, type Window } from './catalog-entry.ts';
import { buildNamesFilter } from './names-filter.ts';
import { encodeSegment } from './segment.ts';
import { batchBytes, cachedSegmentId } from './segment-reader.ts';
import { splitByDay } from './split-by-day.ts';
import { namespaceOf, type StorageDeps } from './storage-deps.ts';
import { markWork } from './work-list.ts';

/** A segment's filter must leave its catalog item within one write unit (1 KB). */
const SEGMENT_FILTER_BYTES = 512;
const MARK_EVERY_MS = MINUTE_MS;
const MAX_KNOWN_WINDOWS = 1_000;

/** The store that ingest writes to: one segment for each day that a request touches. */
export function createSampleStore(deps: StorageDeps): SampleStore {
  const known = new Map<string, { window: WindowItem; markedAtMs: number }>();

  async function openWindow(window: Window): Promise<WindowItem> {
    const key = `${window.tenant}/${window.date}`;
    const found = known.get(key);
    const nowMs = deps.now();
    if (found && nowMs - found.markedAtMs < MARK_EVERY_MS) return found.window;
    const item = await ensureWindow(deps.table, window, deps.settings(window.tenant).segmentShards);
    await markWork(deps.table, window.tenant, window.date, nowMs);
    if (known.size >= MAX_KNOWN_WINDOWS) known.clear();
    known.set(key, { window: item, markedAtMs: nowMs });
    return item;
  }

  return {
    async append({ tenant: owner, id, batch, retentionClass }: AppendInput) {
      const tenant = namespaceOf(owner, retentionClass);
      const days = splitByDay(batch);
      await Promise.all(
        days.map(async (day) => {
          const window = await openWindow({ tenant, tier: 'hot', date: isoDate(day.dayMs) });
          await writeSegment(deps, window, id, day.batch, day.dayMs);
          const isHistory = day.dayMs + DAY_MS < deps.now() - deps.settings(tenant).retentionMs.hot;
          if (isHistory) await ensureWindow(deps.table, window, window.segmentShards); // expiry may have unlisted it meanwhile
        }),
      );
    },
  };
}

/**
 * Bytes first, then the catalog item on condition that the id is new: a crash between leaves an orphan, never a promise
 * without data. An id that is there already is the same data (a retry), so that is success.
 */
async function writeSegment(deps: StorageDeps, window: WindowItem, id: string, batch: SampleBatch, dayMs: number): Promise<void> {
  const { bytes, metrics } = encodeSegment(batch, dayMs);
  const inline = bytes.length <= deps.inlineBytes;
  const key = inline ? undefined : segmentKey(window, `${id}-${deps.newId()}`);
  if (key) await retry(() => deps.blobs.put(key, bytes));
  const entry: CatalogEntry = {
    ...timeRange(batch),
    rows: batch.ts.length,
    seriesCount: batch.series.length,
    names: buildNamesFilter(metrics, SEGMENT_FILTER_BYTES),
    id,
    kind: 'segment',
    level: LEVEL.segment,
    bytes: bytes.length,
    createdAtMs: deps.now(),
    key,
    body: inline ? bytes : undefined,
  };
  const shard = segmentShard(id, window.segmentShards);
  try {
    await retry(() => deps.table.put(toItem(entry, segmentPartition(window, shard)), { exists: false }));
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return;
  }
  deps.cache.set(cachedSegmentId(window, id), batch, batchBytes(batch));
}

function timeRange({ ts }: SampleBatch): { minTs: number; maxTs: number } {
  let minTs = Number.POSITIVE_INFINITY;
  let maxTs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ts.length; i++) {
    if (ts[i] < minTs) minTs = ts[i];
    if (ts[i] > maxTs) maxTs = ts[i];
  }
  return { minTs, maxTs };
}
