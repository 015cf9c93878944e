import { retry } from '#core/retry.ts';
import { DELTA, type SampleBatch, type SampleColumns, STALE } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import type { CatalogEntry, Window } from './catalog-entry.ts';
import { decodeSegment } from './segment.ts';
import { createRunCache } from './series-section.ts';
import type { StorageDeps } from './storage-deps.ts';

const unpackRun = createRunCache(200_000);

/** Name of a decoded segment in the read cache. */
export function cachedSegmentId(window: Window, id: string): string {
  return `segment/${window.tenant}/${window.date}/${id}`;
}

/** About what a batch holds in memory, its series aside: they are shared. */
export function batchBytes(batch: SampleBatch): number {
  return batch.ts.length * (batch.startTs ? 29 : 21) + batch.series.length * 8 + 256;
}

export interface OpenedSegment {
  readonly batch: SampleBatch;
  /** Bytes fetched: 0 where the cache had it. */
  readonly fetchedBytes: number;
}

/** The samples of a segment, from the cache, its catalog item or its object. */
export async function openSegment(deps: StorageDeps, window: Window, entry: CatalogEntry): Promise<OpenedSegment> {
  const cacheId = cachedSegmentId(window, entry.id);
  const cached = deps.cache.get<SampleBatch>(cacheId);
  if (cached) return { batch: cached, fetchedBytes: 0 };
  const bytes = entry.body ?? (await retry(() => deps.blobs.get(entry.key as string)));
  const batch = decodeSegment(bytes, unpackRun);
  deps.cache.set(cacheId, batch, batchBytes(batch));
  return { batch, fetchedBytes: entry.body ? 0 : bytes.length };
}

/** Samples of many batches by series, in the order in which they come: neither sorted nor unique. */
export function groupBySeries(batches: readonly SampleBatch[], wanted: (series: Series) => boolean): RawSeries[] {
  const groups = findGroups(batches, wanted);
  let flagsSeen = 0;
  for (const { flags } of batches) for (let i = 0; i < flags.length; i++) flagsSeen |= flags[i];
  const startSeen = batches.some((batch) => batch.startTs !== undefined);
  const fillings = new Map<Group, Filling>();
  for (const group of groups.values()) {
    if (group && !fillings.has(group)) fillings.set(group, newFilling(group.count, flagsSeen, startSeen));
  }
  for (const batch of batches) {
    const targets = batch.series.map((series) => {
      const group = groups.get(series);
      return group && fillings.get(group);
    });
    fill(targets, batch);
  }
  return Array.from(fillings, ([group, samples]) => ({ series: group.series, samples }));
}

interface Group {
  readonly series: Series;
  count: number;
}

/**
 * The group of every series object (undefined: not wanted), with its number of samples. The same series can come as several
 * objects: each is looked up by content once.
 */
function findGroups(batches: readonly SampleBatch[], wanted: (series: Series) => boolean): Map<Series, Group | undefined> {
  const byObject = new Map<Series, Group | undefined>();
  const byKey = new Map<string, Group>();
  for (const batch of batches) {
    const counts = countPerSeries(batch);
    for (let i = 0; i < batch.series.length; i++) {
      const series = batch.series[i];
      let group = byObject.get(series);
      if (group === undefined && !byObject.has(series)) {
        if (wanted(series)) {
          const key = seriesKey(series);
          group = byKey.get(key) ?? { series, count: 0 };
          byKey.set(key, group);
        }
        byObject.set(series, group);
      }
      if (group) group.count += counts[i];
    }
  }
  return byObject;
}

interface Filling extends SampleColumns {
  filled: number;
}

function countPerSeries(batch: SampleBatch): Uint32Array {
  const counts = new Uint32Array(batch.series.length);
  for (let i = 0; i < batch.seriesIndex.length; i++) counts[batch.seriesIndex[i]]++;
  return counts;
}

function newFilling(count: number, flagsSeen: number, startSeen: boolean): Filling {
  return {
    ts: new Float64Array(count),
    value: new Float64Array(count),
    stale: flagsSeen & STALE ? new Uint8Array(count) : undefined,
    delta: flagsSeen & DELTA ? new Uint8Array(count) : undefined,
    startTs: startSeen ? new Float64Array(count) : undefined,
    filled: 0,
  };
}

function fill(targets: readonly (Filling | undefined)[], batch: SampleBatch): void {
  const { seriesIndex, ts, value, flags, startTs } = batch;
  for (let i = 0; i < ts.length; i++) {
    const target = targets[seriesIndex[i]];
    if (!target) continue;
    const at = target.filled++;
    target.ts[at] = ts[i];
    target.value[at] = value[i];
    if (target.stale) target.stale[at] = flags[i] & STALE ? 1 : 0;
    if (target.delta) target.delta[at] = flags[i] & DELTA ? 1 : 0;
    if (target.startTs) target.startTs[at] = startTs ? startTs[i] : Number.NaN;
  }
}
