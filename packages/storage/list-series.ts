import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { isoDate } from '#core/time.ts';
import { type Series, seriesKey } from '#model/series.ts';
import { resolutionMs, tiers } from '#model/tier.ts';
import type { LabelsInput, ReadStats } from '#ports/sample-source.ts';
import { readSeriesOf } from './block-reader.ts';
import { listWindows, readWindow, type WindowItem } from './catalog.ts';
import { type CatalogEntry, readableEntries } from './catalog-entry.ts';
import { anyOf, compileSelector, pickWanted } from './matching.ts';
import { type ReadCounter, readStats, startCounting } from './read-counter.ts';
import { replanOnMissing } from './replan.ts';
import { openSegment } from './segment-reader.ts';
import { clampTime } from './select.ts';
import type { StorageDeps } from './storage-deps.ts';

const READS_AT_ONCE = 16;

/** Which series have data in the segments and blocks that touch the time range: from dictionaries, never from samples. */
export async function listSeries(deps: StorageDeps, input: LabelsInput): Promise<{ series: readonly Series[]; read: ReadStats }> {
  return replanOnMissing(() => planAndList(deps, input));
}

async function planAndList(deps: StorageDeps, input: LabelsInput): Promise<{ series: readonly Series[]; read: ReadStats }> {
  const counter = startCounting();
  const wanted = anyOf(input.matcherSets.map(compileSelector));
  const found = new Map<string, Series>();
  for (const windows of await daysOf(deps, input)) {
    input.signal?.throwIfAborted();
    const { window, entries } = await openDay(deps, windows, counter);
    const width = Math.max(1, resolutionMs[window.tier]);
    const touching = readableEntries(entries).filter((entry) => entry.maxTs + width > input.startMs && entry.minTs <= input.endMs);
    const lists = await mapConcurrent(touching, READS_AT_ONCE, (entry) => seriesOf(deps, window, entry, counter));
    const listed = lists.flat().map((series) => ({ series }));
    for (const { series } of await pickWanted(deps, listed, wanted, input.signal)) found.set(seriesKey(series), series);
    if (found.size > input.limits.maxSeries) {
      throw new OpsError('limit', `the query would list more than ${input.limits.maxSeries} series`, {
        hint: 'Narrow the matchers or the time range.',
      });
    }
  }
  return { series: [...found.values()], read: readStats(counter) };
}

/** The windows of each day, finest first: a day that leaves one tier while this goes on is found in the next. */
async function daysOf(deps: StorageDeps, input: LabelsInput): Promise<WindowItem[][]> {
  const days = new Map<string, WindowItem[]>();
  for (const namespace of deps.namespaces(input.tenant)) {
    const sinceMs = Math.max(input.startMs, deps.now() - deps.settings(namespace).retentionMs.cold);
    if (sinceMs > input.endMs) continue;
    for (const tier of tiers) {
      const windows = await listWindows(deps.table, namespace, tier, isoDate(clampTime(sinceMs)), isoDate(clampTime(input.endMs)));
      for (const window of windows) {
        const day = `${namespace}/${window.date}`;
        days.set(day, [...(days.get(day) ?? []), window]);
      }
    }
  }
  return [...days.values()];
}

/** A day's finest window that has not expired; nothing if there is none. */
async function openDay(deps: StorageDeps, windows: readonly WindowItem[], counter: ReadCounter) {
  for (const window of windows) {
    counter.requests += 2 + window.segmentShards;
    const { head, entries } = await readWindow(deps.table, window);
    if (!head.expired) return { window, entries };
  }
  return { window: windows[0], entries: [] };
}

async function seriesOf(deps: StorageDeps, window: WindowItem, entry: CatalogEntry, counter: ReadCounter): Promise<readonly Series[]> {
  if (entry.kind === 'block') return readSeriesOf(deps, entry, counter);
  const { batch, fetchedBytes } = await openSegment(deps, window, entry);
  counter.bytes += fetchedBytes;
  return batch.series;
}
