import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { isoDate } from '#core/time.ts';
import { type Series, seriesKey } from '#model/series.ts';
import { tiers } from '#model/tier.ts';
import type { LabelsInput, ReadStats } from '#ports/sample-source.ts';
import { readSeriesOf } from './block-reader.ts';
import { listWindows, readWindow, type WindowItem } from './catalog.ts';
import { type CatalogEntry, visibleEntries } from './catalog-entry.ts';
import { compileSelector } from './matching.ts';
import { type ReadCounter, readStats, startCounting } from './read-counter.ts';
import { openSegment } from './segment-reader.ts';
import { clampTime } from './select.ts';
import type { StorageDeps } from './storage-deps.ts';

const READS_AT_ONCE = 16;

/** Which series have data in the segments and blocks that touch the time range: from dictionaries, never from samples. */
export async function listSeries(deps: StorageDeps, input: LabelsInput): Promise<{ series: readonly Series[]; read: ReadStats }> {
  const counter = startCounting();
  const selectors = input.matcherSets.map(compileSelector);
  const found = new Map<string, Series>();
  for (const window of await daysOf(deps, input)) {
    input.signal?.throwIfAborted();
    const { entries } = await readWindow(deps.table, window);
    const touching = visibleEntries(entries).filter((entry) => entry.maxTs >= input.startMs && entry.minTs <= input.endMs);
    const lists = await mapConcurrent(touching, READS_AT_ONCE, (entry) => seriesOf(deps, window, entry, counter));
    for (const series of lists.flat()) {
      if (selectors.length === 0 || selectors.some((wanted) => wanted(series))) found.set(seriesKey(series), series);
    }
    if (found.size > input.limits.maxSeries) {
      throw new OpsError('limit', `the query would list more than ${input.limits.maxSeries} series`, {
        hint: 'Narrow the matchers or the time range.',
      });
    }
  }
  return { series: [...found.values()], read: readStats(counter) };
}

/** Each day once, from the finest tier that has it. */
async function daysOf(deps: StorageDeps, input: LabelsInput): Promise<WindowItem[]> {
  const days = new Map<string, WindowItem>();
  for (const namespace of deps.namespaces(input.tenant)) {
    const { retentionMs } = deps.settings(namespace);
    for (const tier of tiers) {
      const sinceMs = Math.max(input.startMs, deps.now() - retentionMs[tier]);
      if (sinceMs > input.endMs) continue;
      const windows = await listWindows(deps.table, namespace, tier, isoDate(clampTime(sinceMs)), isoDate(clampTime(input.endMs)));
      for (const window of windows) {
        const day = `${namespace}/${window.date}`;
        if (!days.has(day)) days.set(day, window);
      }
    }
  }
  return [...days.values()];
}

async function seriesOf(deps: StorageDeps, window: WindowItem, entry: CatalogEntry, counter: ReadCounter): Promise<readonly Series[]> {
  if (entry.kind === 'block') return readSeriesOf(deps, entry, counter);
  const { batch, fetchedBytes } = await openSegment(deps, window, entry);
  counter.bytes += fetchedBytes;
  return batch.series;
}
