import { retry } from '#core/retry.ts';
import { compareUtf8 } from '#core/text.ts';
import { type Series, seriesFromJson } from '#model/series.ts';
import type { AggregateSeries, RawSeries } from '#ports/sample-source.ts';
import { decodeAggregates } from './aggregate-block.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import type { OfSeries } from './merge-series.ts';
import { decodeSamples } from './metrics-block.ts';
import { decodeSeries } from './parquet/decode-series.ts';
import { type BlockWants, type PlannedRange, planRowGroups, planSeries } from './parquet/plan.ts';
import { type BlockFooter, footerSize, readFooter } from './parquet/read-footer.ts';
import type { ReadCounter } from './read-counter.ts';
import type { StorageDeps } from './storage-deps.ts';

/** What a footer takes at most usually; a longer one costs a second request. */
const TAIL_BYTES = 32 * 1024;
/** One request fetches at most this much, and bridges a gap of cached row groups only up to GAP_BYTES. */
const FETCH_BYTES = 8 * 1024 * 1024;
const GAP_BYTES = 256 * 1024;
const MAX_KNOWN_SERIES = 500_000;

const knownSeries = new Map<string, Map<string, Series>>();
let knownCount = 0;

/** One object per series, whichever block it is read from: equal series are then mostly the same object. */
function internSeries(metric: string, json: string): Series {
  let byJson = knownSeries.get(metric);
  const known = byJson?.get(json);
  if (known) return known;
  if (knownCount >= MAX_KNOWN_SERIES) {
    knownSeries.clear();
    knownCount = 0;
    byJson = undefined;
  }
  if (!byJson) {
    byJson = new Map();
    knownSeries.set(metric, byJson);
  }
  const series = seriesFromJson(metric, json);
  byJson.set(json, series);
  knownCount++;
  return series;
}

/** All of a raw block, in series order, decoded a row group at a time: for compaction, past the cache. */
export async function openBlockSamples(deps: StorageDeps, entry: CatalogEntry): Promise<Iterator<RawSeries>> {
  return rowGroupsOf(await fetchBlock(deps, entry), decodeSamples);
}

/** All of an aggregate block, likewise. */
export async function openBlockAggregates(deps: StorageDeps, entry: CatalogEntry): Promise<Iterator<AggregateSeries>> {
  return rowGroupsOf(await fetchBlock(deps, entry), decodeAggregates);
}

async function fetchBlock(deps: StorageDeps, entry: CatalogEntry): Promise<Uint8Array> {
  return retry(() => deps.blobs.get(entry.key as string));
}

type DecodeGroup<T> = (footer: BlockFooter, rowGroup: number, bytes: Uint8Array, selection: { resolveSeries: typeof internSeries }) => T[];

function* rowGroupsOf<T>(bytes: Uint8Array, decode: DecodeGroup<T>): Generator<T> {
  const footer = readFooter(bytes);
  for (const { rowGroup, start, end } of planRowGroups(footer, {})) {
    yield* decode(footer, rowGroup, bytes.subarray(start, end), { resolveSeries: internSeries });
  }
}

/** The series of a raw block's row groups that can hold what is wanted: all of the wanted metrics, not cut, nor filtered otherwise. */
export async function readSamples(deps: StorageDeps, entry: CatalogEntry, wants: BlockWants, counter: ReadCounter): Promise<RawSeries[]> {
  return readGroups(deps, entry, wants, counter, decodeSamples, ({ samples }) => samples.ts.length * 16);
}

/** The same of an aggregate block. */
export async function readAggregates(
  deps: StorageDeps,
  entry: CatalogEntry,
  wants: BlockWants,
  counter: ReadCounter,
): Promise<AggregateSeries[]> {
  return readGroups(deps, entry, wants, counter, decodeAggregates, ({ aggregates }) => aggregates.ts.length * 80);
}

async function readGroups<T extends OfSeries>(
  deps: StorageDeps,
  entry: CatalogEntry,
  wants: BlockWants,
  counter: ReadCounter,
  decode: DecodeGroup<T>,
  sizeOf: (item: T) => number,
): Promise<T[]> {
  const footer = await openFooter(deps, entry, counter);
  const planned = planRowGroups(footer, wants);
  const found = new Map<number, T[]>();
  for (const { rowGroup } of planned) {
    const cached = deps.cache.get<T[]>(groupId(entry, rowGroup));
    if (cached) found.set(rowGroup, cached);
  }
  const missing = planned.filter(({ rowGroup }) => !found.has(rowGroup));
  for (const stretch of planFetches(missing)) {
    const bytes = await fetchRange(deps, entry, stretch.start, stretch.end, counter);
    for (const { rowGroup, start, end } of stretch.groups) {
      const items = decode(footer, rowGroup, bytes.subarray(start - stretch.start, end - stretch.start), { resolveSeries: internSeries });
      deps.cache.set(
        groupId(entry, rowGroup),
        items,
        items.reduce((sum, item) => sum + sizeOf(item) + 128, 0),
      );
      found.set(rowGroup, items);
      await deps.pause();
    }
  }
  return planned.flatMap(({ rowGroup }) => ofMetrics(found.get(rowGroup) ?? [], wants.metrics));
}

/** A row group is in the order of series: a thousand rules over it each find their metric without looking at all the others. */
function ofMetrics<T extends OfSeries>(items: T[], metrics: readonly string[] | undefined): T[] {
  if (metrics === undefined) return items;
  return metrics.flatMap((metric) => {
    const from = countWhile(items, (series) => compareUtf8(series.metric, metric) < 0);
    return items.slice(
      from,
      countWhile(items, (series) => compareUtf8(series.metric, metric) <= 0),
    );
  });
}

/** How many items come before the first that fails the test; all that fail it come last. */
function countWhile(items: readonly OfSeries[], holds: (series: Series) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds((items[middle] as OfSeries).series)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The series of a block, raw or aggregate, from its dictionaries alone; kept, since a block never changes. */
export async function readSeriesOf(deps: StorageDeps, entry: CatalogEntry, counter: ReadCounter): Promise<readonly Series[]> {
  const id = `series/${entry.key}`;
  const cached = deps.cache.get<Series[]>(id);
  if (cached) return cached;
  const footer = await openFooter(deps, entry, counter);
  const series: Series[] = [];
  for (const stretch of planFetches(planSeries(footer, {}))) {
    const bytes = await fetchRange(deps, entry, stretch.start, stretch.end, counter);
    for (const { rowGroup, start, end } of stretch.groups) {
      const found = decodeSeries(footer, rowGroup, bytes.subarray(start - stretch.start, end - stretch.start));
      for (const { metric, json } of found) series.push(internSeries(metric, json));
    }
  }
  deps.cache.set(id, series, series.length * 64);
  return series;
}

/** Neighbouring ranges fetched at once. */
function planFetches(ranges: readonly PlannedRange[]): { start: number; end: number; groups: PlannedRange[] }[] {
  const stretches: { start: number; end: number; groups: PlannedRange[] }[] = [];
  for (const range of ranges) {
    const last = stretches.at(-1);
    if (last && range.start - last.end <= GAP_BYTES && range.end - last.start <= FETCH_BYTES) {
      last.end = range.end;
      last.groups.push(range);
    } else {
      stretches.push({ start: range.start, end: range.end, groups: [range] });
    }
  }
  return stretches;
}

/** A block's footer: of the cache, or of the block's tail. */
async function openFooter(deps: StorageDeps, entry: CatalogEntry, counter: ReadCounter): Promise<BlockFooter> {
  const id = `footer/${entry.key}`;
  const cached = deps.cache.get<BlockFooter>(id);
  if (cached) return cached;
  counter.objects++;
  let tail = await fetchRange(deps, entry, Math.max(0, entry.bytes - TAIL_BYTES), entry.bytes, counter);
  const size = footerSize(tail);
  if (size > tail.length) tail = await fetchRange(deps, entry, entry.bytes - size, entry.bytes, counter);
  const footer = readFooter(tail);
  deps.cache.set(id, footer, size * 4);
  return footer;
}

async function fetchRange(deps: StorageDeps, entry: CatalogEntry, start: number, end: number, counter: ReadCounter): Promise<Uint8Array> {
  const bytes = await retry(() => deps.blobs.get(entry.key as string, { start, end }));
  counter.requests++;
  counter.bytes += bytes.length;
  return bytes;
}

function groupId(entry: CatalogEntry, rowGroup: number): string {
  return `group/${entry.key}/${rowGroup}`;
}
