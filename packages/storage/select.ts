import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { alignDown, isoDate } from '#core/time.ts';
import { type Series, seriesKey } from '#model/series.ts';
import { resolutionMs, type Tier, tiers } from '#model/tier.ts';
import type { AggregateSeries, RawSeries, SelectInput, SelectResult } from '#ports/sample-source.ts';
import { aggregateAggregates, aggregateSamples } from './aggregate.ts';
import { joinAggregates, sliceAggregates } from './aggregate-columns.ts';
import { readAggregates, readSamples } from './block-reader.ts';
import { listWindows, readWindow, stateOf, type WindowItem, type WindowState } from './catalog.ts';
import { type CatalogEntry, readableEntries, type Window } from './catalog-entry.ts';
import { compileSelector, exactLabels, exactMetric, pickWanted, type Selector } from './matching.ts';
import { mergeSamples, sliceTime } from './merge-samples.ts';
import type { OfSeries } from './merge-series.ts';
import { namesFilterHas } from './names-filter.ts';
import { labelPair } from './parquet/label-filter.ts';
import { planTier } from './plan-tier.ts';
import { type ReadCounter, readStats, startCounting } from './read-counter.ts';
import { readSegments } from './recent-samples.ts';
import { replanOnMissing } from './replan.ts';
import type { StorageDeps } from './storage-deps.ts';

type CoarseTier = Exclude<Tier, 'hot'>;

/** Days and entries of a day that are read at once. */
const WINDOWS_AT_ONCE = 8;
const ENTRIES_AT_ONCE = 16;

/** What one selection asks of every entry it meets. */
interface Selection {
  readonly input: SelectInput;
  readonly wanted: Selector;
  readonly metrics: readonly string[] | undefined;
  /** Labels that every wanted series has. */
  readonly labels: readonly string[];
  readonly counter: ReadCounter;
  /** Bytes of the entries planned so far. */
  plannedBytes: number;
  /** Samples found so far, parts of the same series not yet merged. */
  foundSamples: number;
}

/** Answers a selector from the tier that suits it. */
export async function selectSeries(deps: StorageDeps, input: SelectInput): Promise<SelectResult> {
  return replanOnMissing(() => planAndSelect(deps, input));
}

async function planAndSelect(deps: StorageDeps, input: SelectInput): Promise<SelectResult> {
  const { tier, warnings } = planTier(input, longestRetention(deps, input.tenant), deps.now());
  const selection = startSelection(input);
  const series = tier === 'hot' ? await selectRaw(deps, selection) : await selectAggregates(deps, selection, tier);
  const read = readStats(selection.counter);
  if (tier === 'hot') return { tier, series: series as RawSeries[], read, warnings };
  return { tier, resolutionMs: resolutionMs[tier], series: series as AggregateSeries[], read, warnings };
}

/** How long any of a tenant's namespaces keeps each tier. */
function longestRetention(deps: StorageDeps, tenant: string): Record<Tier, number> {
  const all = deps.namespaces(tenant).map((namespace) => deps.settings(namespace).retentionMs);
  const longest = (tier: Tier) => Math.max(...all.map((retentionMs) => retentionMs[tier]));
  return { hot: longest('hot'), warm: longest('warm'), cold: longest('cold') };
}

function startSelection(input: SelectInput): Selection {
  const metric = exactMetric(input.matchers);
  return {
    input,
    wanted: compileSelector(input.matchers),
    metrics: metric === undefined ? undefined : [metric],
    labels: exactLabels(input.matchers).map(({ name, value }) => labelPair(name, value)),
    counter: startCounting(),
    plannedBytes: 0,
    foundSamples: 0,
  };
}

async function selectRaw(deps: StorageDeps, selection: Selection): Promise<RawSeries[]> {
  const windows = await windowsOf(deps, selection, 'hot');
  const lists = await mapConcurrent(windows, WINDOWS_AT_ONCE, async (window) => {
    return readRawWindow(deps, await openWindow(deps, window, selection), selection, rangeIn(deps, window, selection, 'hot'));
  });
  const merged = mergeBySeries(
    lists.flat(),
    (series, parts): RawSeries => ({ series, samples: mergeSamples(parts.map((part) => part.samples)) }),
  );
  return limited(merged, ({ samples }) => samples.ts.length, selection);
}

/** The wanted series of one day, per source: parts still to be merged. Nothing of a day whose raw samples are being deleted. */
async function readRawWindow(deps: StorageDeps, state: WindowState, selection: Selection, range: TimeRange): Promise<RawSeries[]> {
  if (state.head.expired) return [];
  const { window } = state;
  const { startMs, endMs } = range;
  const { visible, needed } = planReads(state, selection, range);
  const segments = { visible: visible.filter(isSegment), needed: needed.filter(isSegment) };
  const fromSegments = await readSegments(deps, window, segments, selection);
  const wants = { metrics: selection.metrics, labels: selection.labels, minTs: startMs, maxTs: endMs };
  const blocks = needed.filter((entry) => entry.kind === 'block');
  const fromBlocks = await mapConcurrent(blocks, ENTRIES_AT_ONCE, (entry) => readSamples(deps, entry, wants, selection.counter));
  const parts = [...fromSegments, ...(await pickSelected(deps, fromBlocks.flat(), selection))];
  const found = parts
    .map(({ series, samples }) => ({ series, samples: sliceTime(samples, startMs, endMs) }))
    .filter(({ samples }) => samples.ts.length > 0);
  for (const { samples } of found) selection.foundSamples += samples.ts.length;
  // Parts may repeat each other's samples, so that only far past the limit it is certain that the sum will be over it.
  if (selection.foundSamples > 2 * selection.input.limits.maxSamples)
    assertWithin(selection.foundSamples, selection.input.limits.maxSamples, 'samples');
  return found;
}

interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

type DayWindows = { -readonly [T in Tier]?: WindowItem };

/**
 * Aggregates day by day. Tiers are listed from the finest to the coarsest, as data moves: a day that leaves one while this goes
 * on is found in the next.
 */
async function selectAggregates(deps: StorageDeps, selection: Selection, tier: CoarseTier): Promise<AggregateSeries[]> {
  const days = new Map<string, DayWindows>();
  for (const source of tier === 'cold' ? tiers : (['hot', 'warm'] as const)) {
    for (const window of await windowsOf(deps, selection, source)) {
      const day = `${window.tenant}/${window.date}`;
      days.set(day, { ...days.get(day), [source]: window });
    }
  }
  const lists = await mapConcurrent([...days.values()], WINDOWS_AT_ONCE, (windows) => readAggregateDay(deps, windows, selection, tier));
  const merged = mergeBySeries(lists.flat(), (series, parts): AggregateSeries => {
    return {
      series,
      aggregates: joinAggregates(
        parts.map((part) => part.aggregates),
        resolutionMs[tier],
      ),
    };
  });
  return limited(merged, ({ aggregates }) => aggregates.ts.length, selection);
}

async function readAggregateDay(
  deps: StorageDeps,
  windows: DayWindows,
  selection: Selection,
  tier: CoarseTier,
): Promise<AggregateSeries[]> {
  const state = await chooseSource(deps, windows, selection, tier);
  const { window } = state;
  const range = rangeIn(deps, window, selection, tier);
  const found = await (window.tier === 'hot' ? aggregateRawWindow : readDerivedWindow)(deps, state, selection, range);
  return found
    .map(({ series, aggregates }) => {
      const atTier = window.tier !== tier && tier === 'cold' ? aggregateAggregates(aggregates, resolutionMs.cold) : aggregates;
      return { series, aggregates: sliceAggregates(atTier, range.startMs, range.endMs) };
    })
    .filter(({ aggregates }) => aggregates.ts.length > 0);
}

/**
 * Where a day's aggregates come from, of one window at least: the wanted tier, or the next finer one that has them. While raw
 * samples are there, only from aggregates made of all of them, else from the samples themselves, so that late data counts from
 * its acknowledgement on.
 */
async function chooseSource(deps: StorageDeps, windows: DayWindows, selection: Selection, tier: CoarseTier): Promise<WindowState> {
  const raw = windows.hot && (await openWindow(deps, windows.hot, selection));
  const isRawGone = raw === undefined || raw.head.expired;
  const root = raw && stateOf(raw);
  for (const coarse of tier === 'cold' ? (['cold', 'warm'] as const) : (['warm'] as const)) {
    const window = windows[coarse];
    const state = window && (await openWindow(deps, window, selection));
    if (state && (isRawGone || state.head.root === root)) return state;
  }
  return raw as WindowState;
}

/** Intervals at the ends of the range are made of all their samples, as they will be when the day is derived. */
async function aggregateRawWindow(
  deps: StorageDeps,
  state: WindowState,
  selection: Selection,
  { startMs, endMs }: TimeRange,
): Promise<AggregateSeries[]> {
  const whole = { startMs: alignDown(startMs, resolutionMs.cold), endMs: endMs + resolutionMs.cold };
  return mergeBySeries(await readRawWindow(deps, state, selection, whole), (series, parts): AggregateSeries => {
    return { series, aggregates: aggregateSamples(mergeSamples(parts.map((part) => part.samples)), resolutionMs.warm) };
  });
}

async function readDerivedWindow(
  deps: StorageDeps,
  state: WindowState,
  selection: Selection,
  range: TimeRange,
): Promise<AggregateSeries[]> {
  const { needed } = planReads(state, selection, range);
  const wants = { metrics: selection.metrics, labels: selection.labels };
  const lists = await mapConcurrent(needed, ENTRIES_AT_ONCE, (entry) => readAggregates(deps, entry, wants, selection.counter));
  return pickSelected(deps, lists.flat(), selection);
}

function pickSelected<T extends OfSeries>(deps: StorageDeps, items: readonly T[], { wanted, input }: Selection): Promise<T[]> {
  return pickWanted(deps, items, wanted, input.signal);
}

/** The range asked for, within what the window's namespace keeps of the tier. */
function rangeIn(deps: StorageDeps, window: Window, { input }: Selection, tier: Tier): TimeRange {
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

async function openWindow(deps: StorageDeps, window: WindowItem, selection: Selection): Promise<WindowState> {
  await deps.pause(); // a query may have very many selections, all of them in the cache
  selection.input.signal?.throwIfAborted();
  selection.counter.requests += 2 + window.segmentShards;
  return readWindow(deps.table, window);
}

/** A window's visible entries, and those of them that may hold something wanted. The times of aggregates are starts of intervals. */
function planReads({ window, entries }: WindowState, selection: Selection, { startMs, endMs }: TimeRange) {
  const width = Math.max(1, resolutionMs[window.tier]);
  const hasMetric = ({ names }: CatalogEntry) => selection.metrics?.every((metric) => namesFilterHas(names, metric)) ?? true;
  const visible = readableEntries(entries);
  const needed = visible.filter((entry) => entry.maxTs + width > startMs && entry.minTs <= endMs && hasMetric(entry));
  for (const entry of needed) selection.plannedBytes += entry.bytes;
  if (selection.metrics === undefined) assertWithin(selection.plannedBytes, selection.input.limits.maxBytes, 'bytes');
  return { visible, needed };
}

function isSegment(entry: CatalogEntry): boolean {
  return entry.kind === 'segment';
}

/** Brings together what several sources hold of one series. */
function mergeBySeries<T extends OfSeries, R>(items: readonly T[], merge: (series: Series, parts: T[]) => R): R[] {
  const byKey = new Map<string, T[]>();
  const byObject = new Map<Series, T[]>(); // equal series are mostly one object, whose key is made once
  for (const item of items) {
    const known = byObject.get(item.series);
    if (known) {
      known.push(item);
      continue;
    }
    const key = seriesKey(item.series);
    const group = byKey.get(key) ?? [];
    group.push(item);
    byKey.set(key, group);
    byObject.set(item.series, group);
  }
  return Array.from(byKey.values(), (parts) => merge(parts[0].series, parts));
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
