import { forEachSettled } from '#core/for-each-settled.ts';
import { MINUTE_MS } from '#core/time.ts';
import { resolutionMs } from '#model/tier.ts';
import { withLease } from '#ports/lease.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { AggregateSeries, RawSeries } from '#ports/sample-source.ts';
import type { Write } from '#ports/table.ts';
import { aggregateAggregates, aggregateSamples } from './aggregate.ts';
import { aggregateBlockSteps } from './aggregate-block.ts';
import { openBlockAggregates, openBlockSamples } from './block-reader.ts';
import { commitBlocks, headUnchanged, listWindows, readWindow, stateOf, type WindowItem, type WindowState, windowKey } from './catalog.ts';
import { headKey, LEVEL, readableEntries, visibleEntries } from './catalog-entry.ts';
import { cleanWindow } from './clean-window.ts';
import { blockCommitted } from './compact.ts';
import { mergeSamples } from './merge-samples.ts';
import { mergeStreams } from './merge-series.ts';
import { isOvertaken } from './overtaken.ts';
import { planCleaning, planTrimming } from './plan-cleaning.ts';
import { type DownsamplingJob, isFinal, planDownsampling } from './plan-downsampling.ts';
import { listRetired } from './retired.ts';
import type { StorageDeps } from './storage-deps.ts';
import { clearWork, listWork, type WorkMark } from './work-list.ts';
import { writeBlocks } from './write-blocks.ts';

export interface DownsampleInput {
  readonly graceMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface DownsamplingReport {
  readonly tenant: string;
  readonly date: string;
  readonly tier: 'warm' | 'cold';
  readonly rows: number;
  readonly conflict?: boolean | undefined;
}

export interface DownsampleResult {
  readonly downsamplings: readonly DownsamplingReport[];
  readonly skipped?: boolean | undefined;
}

const LEASE_MS = 15 * MINUTE_MS;
/** A mark this old has been repeated by every process that still writes to its day. */
const MARK_SETTLED_MS = 5 * MINUTE_MS;

/** Derives 5 min rows from raw and 1 h rows from those, for every day that is final and not derived as it stands. */
export async function downsample(deps: StorageDeps, input: DownsampleInput = {}): Promise<DownsampleResult> {
  const done = await withLease(deps, 'storage-downsample', LEASE_MS, async () => {
    const downsamplings: DownsamplingReport[] = [];
    await forEachSettled(await listWork(deps.table, deps.onlyTenant), async (mark) => {
      downsamplings.push(...(await downsampleDay(deps, mark, input)));
    });
    return { downsamplings };
  });
  return done ?? { downsamplings: [], skipped: true };
}

async function downsampleDay(deps: StorageDeps, mark: WorkMark, input: DownsampleInput): Promise<DownsamplingReport[]> {
  const { tenant, date } = mark;
  const [listed] = await listWindows(deps.table, tenant, 'hot', date, date);
  const hot: WindowItem = listed ?? { tenant, date, tier: 'hot', segmentShards: 0 };
  const warm: WindowItem = { tenant, date, tier: 'warm', segmentShards: 0 };
  const cold: WindowItem = { tenant, date, tier: 'cold', segmentShards: 0 };
  const reports: DownsamplingReport[] = [];
  for (const [from, to] of [
    [hot, warm],
    [warm, cold],
  ] as const) {
    const job = planDownsampling(await readWindow(deps.table, from), await readWindow(deps.table, to), deps.now());
    if (job) reports.push(await attempt(deps, job, to, input));
    if (!input.dryRun) await cleanWindow(deps, to, (await readWindow(deps.table, to)).entries, input.graceMs ?? deps.graceMs);
  }
  if (reports.length === 0 && !input.dryRun) await clearIfDone(deps, mark, hot, warm, cold);
  return reports;
}

async function attempt(deps: StorageDeps, job: DownsamplingJob, to: WindowItem, input: DownsampleInput): Promise<DownsamplingReport> {
  const report = { tenant: to.tenant, date: to.date, tier: to.tier as 'warm' | 'cold' };
  if (input.dryRun) return { ...report, rows: 0 };
  try {
    return { ...report, rows: await runDownsampling(deps, job) };
  } catch (error) {
    if (!(await isOvertaken(deps, [job.from, job.to], error))) throw error;
    return { ...report, rows: 0, conflict: true };
  }
}

/**
 * Writes the coarser window whole and commits it in place of what it held, on condition that what it was made from has not been
 * replaced or expired meanwhile. The window is listed by the same transaction: a reader that finds it listed finds it filled.
 */
async function runDownsampling(deps: StorageDeps, job: DownsamplingJob): Promise<number> {
  const { from, to, source, root } = job;
  const items =
    from.window.tier === 'hot' ? await aggregatedRaw(deps, from) : await aggregatedAggregates(deps, from, resolutionMs[to.window.tier]);
  const format = { rowsOf: ({ aggregates }: AggregateSeries) => aggregates.ts.length, steps: aggregateBlockSteps };
  const outputs = await writeBlocks(deps, to.window, LEVEL.final, items, format);
  const inputs = visibleEntries(to.entries).map((entry) => entry.id);
  const alongside: Write[] = [
    outboxWrite(blockCommitted(deps, to.window, true, outputs)),
    { kind: 'put', item: { ...windowKey(to.window), segmentShards: 0 } },
    { kind: 'check', key: headKey(from.window), condition: headUnchanged(from.head) },
  ];
  const commit = { window: to.window, head: to.head, level: LEVEL.final, outputs, inputs, source, root };
  await commitBlocks(deps.table, { ...commit, alongside }, deps.now());
  return outputs.reduce((sum, output) => sum + output.rows, 0);
}

async function aggregatedRaw(deps: StorageDeps, from: WindowState): Promise<Iterator<AggregateSeries>> {
  const streams: Iterator<RawSeries>[] = [];
  for (const entry of readableEntries(from.entries)) streams.push(await openBlockSamples(deps, entry));
  return (function* () {
    for (const { series, parts } of mergeStreams(streams)) {
      const aggregates = aggregateSamples(mergeSamples(parts.map((part) => part.samples)), resolutionMs.warm);
      if (aggregates.ts.length > 0) yield { series, aggregates };
    }
  })();
}

/** A day's aggregates are written in one go, so their blocks share no series. */
async function aggregatedAggregates(deps: StorageDeps, from: WindowState, widthMs: number): Promise<Iterator<AggregateSeries>> {
  const streams: Iterator<AggregateSeries>[] = [];
  for (const entry of readableEntries(from.entries)) streams.push(await openBlockAggregates(deps, entry));
  return (function* () {
    for (const { series, parts } of mergeStreams(streams)) yield { series, aggregates: aggregateAggregates(parts[0].aggregates, widthMs) };
  })();
}

function isSettled(entries: WindowState['entries']): boolean {
  const ever = Number.POSITIVE_INFINITY;
  return planCleaning(entries, ever, 0).length === 0 && planTrimming(entries, ever, 0).length === 0;
}

/** A day leaves the work list once all of it is final, derived and clean. */
async function clearIfDone(deps: StorageDeps, mark: WorkMark, ...windows: readonly [WindowItem, WindowItem, WindowItem]): Promise<void> {
  if (deps.now() - mark.markedAtMs < MARK_SETTLED_MS) return;
  const [hot, warm, cold] = await Promise.all(windows.map((window) => readWindow(deps.table, window)));
  const retired = await listRetired(deps.table, hot.window);
  const isClean = retired.length === 0 && [hot, warm, cold].every(({ entries }) => isSettled(entries));
  const isDerived = hot.head.expired || (warm.head.source === stateOf(hot) && cold.head.source === stateOf(warm));
  const isGone = [hot, warm, cold].every((state) => state.entries.length === 0);
  if (isGone || (isClean && isDerived && isFinal(visibleEntries(hot.entries)))) await clearWork(deps.table, mark);
}
