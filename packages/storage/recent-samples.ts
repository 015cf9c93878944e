import { mapConcurrent } from '#core/batch.ts';
import { DELTA, type SampleBatch, type SampleColumns, STALE } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import type { CatalogEntry, Window } from './catalog-entry.ts';
import { pickWanted, type Selector } from './matching.ts';
import { sortUnique } from './merge-samples.ts';
import type { ReadCounter } from './read-counter.ts';
import { openSegment } from './segment-reader.ts';
import type { StorageDeps } from './storage-deps.ts';

/**
 * The samples of a window's segments by series, carried from query to query: each one adds what came since. It may hold more
 * segments than a query needs, never one that has been compacted (then it starts anew).
 */
interface RecentSamples {
  readonly ids: Set<string>;
  readonly byKey: Map<string, GrowingSeries>;
  readonly byMetric: Map<string, GrowingSeries[]>;
  /** The same series can come as several objects. */
  readonly byObject: Map<Series, GrowingSeries>;
  sizeBytes: number;
}

interface GrowingSeries {
  readonly series: Series;
  count: number;
  /** In time order, one per timestamp. */
  isOrdered: boolean;
  ts: Float64Array;
  value: Float64Array;
  stale: Uint8Array | undefined;
  delta: Uint8Array | undefined;
  startTs: Float64Array | undefined;
}

const READS_AT_ONCE = 16;
const FIRST_CAPACITY = 16;

/** What is wanted of them; `metrics` where only those can match. */
interface RecentSelection {
  readonly wanted: Selector;
  readonly metrics: readonly string[] | undefined;
  readonly counter: ReadCounter;
  readonly input: { readonly signal?: AbortSignal | undefined };
}

/** The wanted series of a window's segments: those of `needed`, where `visible` names every segment that still counts. */
export async function readSegments(
  deps: StorageDeps,
  window: Window,
  segments: { readonly visible: readonly CatalogEntry[]; readonly needed: readonly CatalogEntry[] },
  { wanted, metrics, counter, input }: RecentSelection,
): Promise<RawSeries[]> {
  if (segments.needed.length === 0) return [];
  const cacheId = `recent/${window.tenant}/${window.date}`;
  const before = stillValid(deps.cache.get<RecentSamples>(cacheId), segments.visible);
  const missing = segments.needed.filter((entry) => !before.ids.has(entry.id));
  const batches = await mapConcurrent(missing, READS_AT_ONCE, async (entry) => {
    const { batch, fetchedBytes } = await openSegment(deps, window, entry);
    if (fetchedBytes > 0) countFetch(counter, fetchedBytes);
    return batch;
  });
  for (const [i, batch] of batches.entries()) addBatch(before, missing[i].id, batch);
  if (batches.length > 0) deps.cache.set(cacheId, before, before.sizeBytes);
  const candidates = metrics === undefined ? before.byKey.values() : metrics.flatMap((metric) => before.byMetric.get(metric) ?? []);
  const found = await pickWanted(deps, candidates, wanted, input.signal);
  return found.map((growing) => ({ series: growing.series, samples: columnsOf(growing) }));
}

function countFetch(counter: ReadCounter, bytes: number): void {
  counter.objects++;
  counter.requests++;
  counter.bytes += bytes;
}

function stillValid(recent: RecentSamples | undefined, visible: readonly CatalogEntry[]): RecentSamples {
  if (recent) {
    const ids = new Set(visible.map((entry) => entry.id));
    if ([...recent.ids].every((id) => ids.has(id))) return recent;
  }
  return { ids: new Set(), byKey: new Map(), byMetric: new Map(), byObject: new Map(), sizeBytes: 0 };
}

/** Adds a segment's samples; nothing if another query has added it meanwhile. */
function addBatch(recent: RecentSamples, id: string, batch: SampleBatch): void {
  if (recent.ids.has(id)) return;
  recent.ids.add(id);
  const { seriesIndex, ts, value, flags, startTs } = batch;
  const targets = batch.series.map((series) => growingOf(recent, series));
  for (let i = 0; i < ts.length; i++) {
    const target = targets[seriesIndex[i]];
    const at = target.count++;
    if (at === target.ts.length) recent.sizeBytes += grow(target);
    if (at > 0 && ts[i] <= target.ts[at - 1]) target.isOrdered = false;
    target.ts[at] = ts[i];
    target.value[at] = value[i];
    setFlag(target, 'stale', at, flags[i] & STALE);
    setFlag(target, 'delta', at, flags[i] & DELTA);
    setStart(target, at, startTs ? startTs[i] : Number.NaN);
  }
}

/** Flags and start times have columns only once a sample has one; room that was used before a re-ordering is overwritten. */
function setFlag(series: GrowingSeries, name: 'stale' | 'delta', at: number, flag: number): void {
  const column = series[name];
  if (column) column[at] = flag ? 1 : 0;
  else if (flag) {
    series[name] = new Uint8Array(series.ts.length);
    series[name][at] = 1;
  }
}

function setStart(series: GrowingSeries, at: number, startTs: number): void {
  if (!series.startTs && Number.isNaN(startTs)) return;
  series.startTs ??= new Float64Array(series.ts.length).fill(Number.NaN);
  series.startTs[at] = startTs;
}

function growingOf(recent: RecentSamples, series: Series): GrowingSeries {
  let growing = recent.byObject.get(series);
  if (!growing) {
    const key = seriesKey(series);
    growing = recent.byKey.get(key) ?? addSeries(recent, key, series);
    recent.byObject.set(series, growing);
    recent.sizeBytes += FIRST_CAPACITY * 16 + 256;
  }
  return growing;
}

function addSeries({ byKey, byMetric }: RecentSamples, key: string, series: Series): GrowingSeries {
  const growing: GrowingSeries = {
    series,
    count: 0,
    isOrdered: true,
    ts: new Float64Array(FIRST_CAPACITY),
    value: new Float64Array(FIRST_CAPACITY),
    stale: undefined,
    delta: undefined,
    startTs: undefined,
  };
  byKey.set(key, growing);
  const ofMetric = byMetric.get(series.metric);
  if (ofMetric) ofMetric.push(growing);
  else byMetric.set(series.metric, [growing]);
  return growing;
}

/** Doubles the room; the bytes gained. */
function grow(series: GrowingSeries): number {
  const size = series.ts.length * 2;
  series.ts = copyInto(new Float64Array(size), series.ts);
  series.value = copyInto(new Float64Array(size), series.value);
  series.stale = series.stale && copyInto(new Uint8Array(size), series.stale);
  series.delta = series.delta && copyInto(new Uint8Array(size), series.delta);
  series.startTs = series.startTs && copyInto(new Float64Array(size), series.startTs);
  return size * 9;
}

function copyInto<T extends Float64Array | Uint8Array>(to: T, from: T): T {
  to.set(from);
  return to;
}

/** The samples as views, put in order first if they came out of it. */
function columnsOf(series: GrowingSeries): SampleColumns {
  const columns = viewOf(series);
  if (series.isOrdered) return columns;
  const { ts, value, stale, delta, startTs } = sortUnique(columns);
  Object.assign(series, { ts, value, stale, delta, startTs, count: ts.length, isOrdered: true });
  return viewOf(series);
}

function viewOf({ ts, value, stale, delta, startTs, count }: GrowingSeries): SampleColumns {
  return {
    ts: ts.subarray(0, count),
    value: value.subarray(0, count),
    stale: stale?.subarray(0, count),
    delta: delta?.subarray(0, count),
    startTs: startTs?.subarray(0, count),
  };
}
