import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { isoDate } from '#core/time.ts';
import { type Series, seriesKey } from '#model/series.ts';
import { resolutionMs, type Tier } from '#model/tier.ts';
import type { AggregateSeries, RawSeries, SelectInput, SelectResult } from '#ports/sample-source.ts';
import { aggregateAggregates, aggregateSamples } from './aggregate.ts';
import { joinAggregates, sliceAggregates } from './aggregate-columns.ts';
import { readAggregates, readSamples } from './block-reader.ts';
import { listWindows, readWindow, type WindowItem } from './catalog.ts';
import { type CatalogEntry, visibleEntries, type Window } from './catalog-entry.ts';
import { compileSelector, exactMetric } from './matching.ts';
import { mergeSamples, sliceTime } from './merge-samples.ts';
import type { OfSeries } from './merge-series.ts';
import { namesFilterHas } from './names-filter.ts';
import { planTier } from './plan-tier.ts';
import { type ReadCounter, readStats, startCounting } from './read-counter.ts';
import { readSegments } from './recent-samples.ts';
import type { StorageDeps } from './storage-deps.ts';

type CoarseTier = Exclude<Tier, 'hot'>;

/** Days and entries of a day that are read at once. */
const WINDOWS_AT_ONCE = 8;
const ENTRIES_AT_ONCE = 16;

/** What one selection asks of every entry it meets. */
interface Selection {
  readonly input: SelectInput;
  readonly wanted: (series: Series) => boolean;
  readonly mayHold: (entry: CatalogEntry) => boolean;
  readonly metrics: readonly string[] | undefined;
  readonly counter: ReadCounter;
}

/** Answers a selector from the tier that suits it. */
export async function selectSeries(deps: StorageDeps, input: SelectInput): Promise<SelectResult> {
  const { tier, warnings } = planTier(input, longestRetention(deps, input.tenant), deps.now());
  const selection = startSelection(input);
  const series = tier === 'hot' ? await selectRaw(deps, selection) : await selectAggregates(deps, selection, tier);
  const read = readStats(selection.counter);
  if (tier === 'hot') return { tier, series: series as RawSeries[], read, warnings };
  return { tier, resolutionMs: resolutionMs[tier], series: series as AggregateSeries[], read, warnings };
}

/** How long any of a tenant's namespaces keeps each tier. */
export function longestRetention(deps: StorageDeps, tenant: string): Record<Tier, number> {
  const all = deps.namespaces(tenant).map((namespace) => deps.settings(namespace).retentionMs);
  const longest = (tier: Tier) => Math.max(...all.map((retentionMs) => retentionMs[tier]));
  return { hot: longest('hot'), warm: longest('warm'), cold: longest('cold') };
}

function startSelection(input: SelectInput): Selection {
  const metric = exactMetric(input.matchers);
  return {
    input,
    wanted: compileSelector(input.matchers),
    mayHold: (entry) =>
      entry.maxTs >= input.startMs && entry.minTs <= input.endMs && (metric === undefined || namesFilterHas(entry.names, metric)),
    metrics: metric === undefined ? undefined : [metric],
    counter: startCounting(),
  };
}

async function selectRaw(deps: StorageDeps, selection: Selection): Promise<RawSeries[]> {
  const windows = await windowsOf(deps, selection, 'hot');
  const lists = await mapConcurrent(windows, WINDOWS_AT_ONCE, (window) => readRawWindow(deps, window, selection));
  const merged = mergeBySeries(
    lists.flat(),
    (series, parts): RawSeries => ({ series, samples: mergeSamples(parts.map((part) => part.samples)) }),
  );
  return limited(merged, ({ samples }) => samples.ts.length, selection);
}

/** The wanted series of one day, per source: parts still to be merged. */
async function readRawWindow(deps: StorageDeps, window: WindowItem, selection: Selection): Promise<RawSeries[]> {
  const { visible, needed } = await openWindow(deps, window, selection);
  const segments = { visible: visible.filter(isSegment), needed: needed.filter(isSegment) };
  const fromSegments = await readSegments(deps, window, segments, selection.wanted, selection.counter);
  const { startMs, endMs } = rangeIn(deps, window, selection, 'hot');
  const wants = { metrics: selection.metrics, minTs: startMs, maxTs: endMs };
  const blocks = needed.filter((entry) => entry.kind === 'block');
  const fromBlocks = await mapConcurrent(blocks, ENTRIES_AT_ONCE, (entry) => readSamples(deps, entry, wants, selection.counter));
  const parts = [fromSegments, ...fromBlocks.map((series) => series.filter((one) => selection.wanted(one.series)))].flat();
  return parts
    .map(({ series, samples }) => ({ series, samples: sliceTime(samples, startMs, endMs) }))
    .filter(({ samples }) => samples.ts.length > 0);
}

/** Aggregates day by day; a day that has none yet is aggregated from what it has. */
async function selectAggregates(deps: StorageDeps, selection: Selection, tier: CoarseTier): Promise<AggregateSeries[]> {
  const days = new Map<string, WindowItem>();
  const sources: readonly Tier[] = tier === 'cold' ? ['cold', 'warm', 'hot'] : ['warm', 'hot'];
  for (const source of sources) {
    for (const window of await windowsOf(deps, selection, source)) {
      const day = `${window.tenant}/${window.date}`;
      if (!days.has(day)) days.set(day, window);
    }
  }
  const lists = await mapConcurrent([...days.values()], WINDOWS_AT_ONCE, (window) => readAggregateWindow(deps, window, selection, tier));
  const merged = mergeBySeries(lists.flat(), (series, parts): AggregateSeries => {
    return { series, aggregates: joinAggregates(parts.map((part) => part.aggregates)) };
  });
  return limited(merged, ({ aggregates }) => aggregates.ts.length, selection);
}

async function readAggregateWindow(
  deps: StorageDeps,
  window: WindowItem,
  selection: Selection,
  tier: CoarseTier,
): Promise<AggregateSeries[]> {
  const { startMs, endMs } = rangeIn(deps, window, selection, tier);
  const found =
    window.tier === 'hot' ? await aggregateRawWindow(deps, window, selection) : await readDerivedWindow(deps, window, selection);
  return found
    .map(({ series, aggregates }) => {
      const atTier = window.tier !== tier && tier === 'cold' ? aggregateAggregates(aggregates, resolutionMs.cold) : aggregates;
      return { series, aggregates: sliceAggregates(atTier, startMs, endMs) };
    })
    .filter(({ aggregates }) => aggregates.ts.length > 0);
}

async function aggregateRawWindow(deps: StorageDeps, window: WindowItem, selection: Selection): Promise<AggregateSeries[]> {
  return mergeBySeries(await readRawWindow(deps, window, selection), (series, parts): AggregateSeries => {
    return { series, aggregates: aggregateSamples(mergeSamples(parts.map((part) => part.samples)), resolutionMs.warm) };
  });
}

async function readDerivedWindow(deps: StorageDeps, window: WindowItem, selection: Selection): Promise<AggregateSeries[]> {
  const { needed } = await openWindow(deps, window, selection);
  const wants = { metrics: selection.metrics };
  const lists = await mapConcurrent(needed, ENTRIES_AT_ONCE, (entry) => readAggregates(deps, entry, wants, selection.counter));
  return lists.flat().filter(({ series }) => selection.wanted(series));
}

/** The range asked for, within what the window's namespace keeps of the tier. */
function rangeIn(deps: StorageDeps, window: Window, { input }: Selection, tier: Tier): { startMs: number; endMs: number } {
  const keptSinceMs = deps.now() - deps.settings(window.tenant).retentionMs[tier];
  return { startMs: Math.max(input.startMs, keptSinceMs), endMs: input.endMs };
}

async function windowsOf(deps: StorageDeps, { input, counter }: Selection, tier: Tier): Promise<WindowItem[]> {
  const { startMs, endMs, tenant } = input;
  const lists = deps.namespaces(tenant).map((namespace) => {
    counter.requests++;
    return listWindows(deps.table, namespace, tier, isoDate(clampTime(startMs)), isoDate(clampTime(endMs)));
  });
  return (await Promise.all(lists)).flat();
}

/** A window's visible entries, and those of them that may hold something wanted. */
async function openWindow(deps: StorageDeps, window: WindowItem, selection: Selection) {
  selection.input.signal?.throwIfAborted();
  const state = await readWindow(deps.table, window);
  selection.counter.requests += 1 + window.segmentShards;
  const visible = visibleEntries(state.entries);
  const needed = visible.filter(selection.mayHold);
  const bytes = needed.reduce((sum, entry) => sum + entry.bytes, 0);
  if (selection.metrics === undefined) assertWithin(bytes, selection.input.limits.maxBytes, 'bytes');
  return { visible, needed };
}

function isSegment(entry: CatalogEntry): boolean {
  return entry.kind === 'segment';
}

/** Brings together what several sources hold of one series. */
function mergeBySeries<T extends OfSeries, R>(items: readonly T[], merge: (series: Series, parts: T[]) => R): R[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = seriesKey(item.series);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return Array.from(groups.values(), (parts) => merge(parts[0].series, parts));
}

function limited<T extends OfSeries>(series: T[], rowsOf: (item: T) => number, { input, counter }: Selection): T[] {
  for (const item of series) counter.samples += rowsOf(item);
  assertWithin(series.length, input.limits.maxSeries, 'series');
  assertWithin(counter.samples, input.limits.maxSamples, 'samples');
  assertWithin(counter.bytes, input.limits.maxBytes, 'bytes');
  return series;
}

function assertWithin(count: number, limit: number, what: string): void {
  if (count <= limit) return;
  throw new OpsError('limit', `the query would read ${count} ${what}, and the limit is ${limit}`, {
    hint: 'Narrow the matchers or the time range.',
  });
}

/** Times that a Date can hold. */
export function clampTime(timeMs: number): number {
  return Math.min(Math.max(timeMs, -62_135_596_800_000), 253_402_300_799_999);
}
