import { mapConcurrent } from '#core/batch.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import type { SampleBatch } from '#model/samples.ts';
import type { AppendInput, SampleStore } from '#ports/sample-store.ts';
import type { Write } from '#ports/table.ts';
import { ensureWindow, MAX_ATTEMPT_MS, readHead, type WindowItem, windowKey } from './catalog.ts';
import { type CatalogEntry, headKey, LEVEL, segmentKey, segmentPartition, segmentShard, toItem, type Window } from './catalog-entry.ts';
import { buildNamesFilter } from './names-filter.ts';
import { encodeSegment } from './segment.ts';
import { batchBytes, cachedSegmentId } from './segment-reader.ts';
import { type DayBatch, splitByDay } from './split-by-day.ts';
import { namespaceOf, type StorageDeps } from './storage-deps.ts';
import { markWork, noteTenant } from './work-list.ts';

/** A segment's filter must leave its catalog item within one write unit (1 KB). */
const SEGMENT_FILTER_BYTES = 512;
const MARK_EVERY_MS = MINUTE_MS;
const MAX_KNOWN_WINDOWS = 1_000;
const DAYS_AT_ONCE = 16;
const GUARDED_TRIES = 4;

/** The store that ingest writes to: one segment for each day that a request touches. */
export function createSampleStore(deps: StorageDeps): SampleStore {
  const known = new Map<string, { window: WindowItem; markedAtMs: number }>();

  async function openWindow(window: Window): Promise<WindowItem> {
    const key = `${window.tenant}/${window.date}`;
    const found = known.get(key);
    const nowMs = deps.now();
    if (found && nowMs - found.markedAtMs < MARK_EVERY_MS) return found.window;
    const item = found?.window ?? (await listWindow(deps, window));
    await markWork(deps.table, window.tenant, window.date, nowMs);
    if (known.size >= MAX_KNOWN_WINDOWS) known.clear();
    known.set(key, { window: item, markedAtMs: nowMs });
    return item;
  }

  return {
    async append({ tenant: owner, id, batch, retentionClass }: AppendInput) {
      const tenant = namespaceOf(owner, retentionClass);
      await mapConcurrent(splitByDay(batch), DAYS_AT_ONCE, async (day) => {
        const window: Window = { tenant, tier: 'hot', date: isoDate(day.dayMs) };
        for (let attempt = 1; ; attempt++) {
          if (await writeSegment(deps, await openWindow(window), id, day)) return;
          if (attempt === GUARDED_TRIES) throw new OpsError('unavailable', `${window.date} is about to expire`);
          known.delete(`${tenant}/${window.date}`);
        }
      });
    },
  };
}

/** Once in a process: a listing that goes away is told by the condition that a segment of an old day is written under. */
async function listWindow({ table, settings }: StorageDeps, window: Window): Promise<WindowItem> {
  await noteTenant(table, window.tenant);
  return ensureWindow(table, window, settings(window.tenant).segmentShards);
}

/**
 * Bytes first, then the catalog item on condition that the id is new: a crash between leaves an orphan, never a promise
 * without data. An id that is there already is the same data (a retry), so that is success. False if the window's listing is not
 * as it was opened: nothing was written then.
 */
async function writeSegment(deps: StorageDeps, window: WindowItem, id: string, { dayMs, batch }: DayBatch): Promise<boolean> {
  const startedAtMs = deps.now();
  const { bytes, metrics } = encodeSegment(batch, dayMs);
  const inline = bytes.length <= deps.inlineBytes;
  const key = inline ? undefined : segmentKey(window, deps.newId());
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
  const item = toItem(entry, segmentPartition(window, segmentShard(id, window.segmentShards)));
  const writes = [{ kind: 'put' as const, item, condition: { exists: false } }, ...expiryGuard(deps, window, dayMs)];
  try {
    await retry(() => {
      if (deps.now() - startedAtMs > MAX_ATTEMPT_MS) throw new OpsError('conflict', 'the orphan sweep may have taken the object by now');
      return writes.length === 1 ? deps.table.put(item, { exists: false }) : deps.table.transact(writes);
    });
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const { pk, sk } = item;
    return (await retry(() => deps.table.get({ pk, sk }))) !== undefined || (writes.length > 1 && refuseExpired(deps, window));
  }
  deps.cache.set(cachedSegmentId(window, id), batch, batchBytes(batch));
  return true;
}

/**
 * What must hold while a day can be expiring: its raw samples have not been, and the day is listed. A segment written past them
 * would be on no list, or be aggregated in place of what its day held. Days that cannot be expiring yet are spared the transaction.
 */
function expiryGuard(deps: StorageDeps, window: WindowItem, dayMs: number): Write[] {
  const spared = deps.now() < dayMs + DAY_MS + Math.min(DAY_MS, deps.settings(window.tenant).retentionMs.hot);
  if (spared) return [];
  return [
    { kind: 'check', key: headKey(window), condition: { equals: { closed: null, expired: null } } },
    { kind: 'check', key: windowKey(window), condition: { equals: { segmentShards: window.segmentShards } } },
  ];
}

/** Tells why a guarded write was refused: `input` where the day takes no more, false where it may again when it is opened anew. */
async function refuseExpired(deps: StorageDeps, window: WindowItem): Promise<false> {
  const { expired } = await readHead(deps.table, window);
  if (!expired) return false;
  throw new OpsError('input', `raw samples of ${window.date} are past their retention and were aggregated; no more can be added`);
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
