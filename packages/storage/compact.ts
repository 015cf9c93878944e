import { mapConcurrent } from '#core/batch.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { MINUTE_MS } from '#core/time.ts';
import type { BlockCommitted } from '#model/events.ts';
import type { SampleColumns } from '#model/samples.ts';
import { compareSeries } from '#model/series.ts';
import type { BusEvent } from '#ports/bus.ts';
import { withLease } from '#ports/lease.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import { openBlockSamples } from './block-reader.ts';
import { commitBlocks, listWindows, readWindow, stateAfter, type WindowItem, type WindowState } from './catalog.ts';
import { type CatalogEntry, LEVEL } from './catalog-entry.ts';
import { cleanWindow } from './clean-window.ts';
import { mergeSamples, sliceTime, sortUnique } from './merge-samples.ts';
import { mergeStreams } from './merge-series.ts';
import { metricsBlockSteps } from './metrics-block.ts';
import { isOvertaken } from './overtaken.ts';
import { type CompactionJob, planCompaction } from './plan-compaction.ts';
import { groupBySeries, openSegment } from './segment-reader.ts';
import type { DroppedRanges, StorageDeps } from './storage-deps.ts';
import { listWork } from './work-list.ts';
import { writeBlocks } from './write-blocks.ts';

export interface CompactInput {
  /** Compact everything to final blocks now, whatever the day and the delays. */
  readonly force?: boolean | undefined;
  /** Instead of the settled grace period. */
  readonly graceMs?: number | undefined;
  /** Plan and say, but change nothing. */
  readonly dryRun?: boolean | undefined;
}

/** One compaction that was done, or would be. */
export interface CompactionReport {
  readonly tenant: string;
  readonly date: string;
  readonly level: number;
  readonly inputs: number;
  readonly rows: number;
  readonly outputs: number;
  /** Somebody else changed the window first; the next run looks again. */
  readonly conflict?: boolean | undefined;
}

export interface CompactResult {
  readonly compactions: readonly CompactionReport[];
  /** Replaced inputs deleted after their grace. */
  readonly cleaned: number;
  /** Another process was at it. */
  readonly skipped?: boolean | undefined;
}

const LEASE_MS = 15 * MINUTE_MS;
/** Writers may be faster than one window's compaction; the others get their turn all the same. */
const MAX_STEPS = 32;
/** Segments are small: one after the other, a minute's worth of a busy tenant would take longer than a minute to fetch. */
const READS_AT_ONCE = 16;

/** Compacts every window that has work, and deletes inputs that were replaced long enough ago. */
export async function compact(deps: StorageDeps, input: CompactInput = {}): Promise<CompactResult> {
  const done = await withLease(deps, 'storage-compact', LEASE_MS, async () => {
    const compactions: CompactionReport[] = [];
    let cleaned = 0;
    await forEachSettled(await listWork(deps.table, deps.onlyTenant), async (mark) => {
      for (const window of await listWindows(deps.table, mark.tenant, 'hot', mark.date, mark.date)) {
        const { reports, entries } = await compactWindow(deps, window, input);
        compactions.push(...reports);
        if (!input.dryRun) cleaned += await cleanWindow(deps, window, entries, input.graceMs ?? deps.graceMs);
      }
    });
    return { compactions, cleaned };
  });
  return done ?? { compactions: [], cleaned: 0, skipped: true };
}

interface CompactedWindow {
  readonly reports: readonly CompactionReport[];
  /** The window's entries as they are then, but for what others have added. */
  readonly entries: WindowState['entries'];
}

/** One window, level by level, until nothing is due or it has had its turn. It is read once: what comes meanwhile is the next run's. */
async function compactWindow(deps: StorageDeps, window: WindowItem, input: CompactInput): Promise<CompactedWindow> {
  const reports: CompactionReport[] = [];
  let state = await readWindow(deps.table, window);
  while (reports.length < MAX_STEPS && !state.head.expired) {
    const job = planCompaction(window, state.entries, deps.now(), input.force);
    if (!job) break;
    const base = {
      tenant: window.tenant,
      date: window.date,
      level: job.level,
      inputs: job.inputs.length,
      rows: job.inputs.reduce((sum, entry) => sum + entry.rows, 0),
    };
    if (input.dryRun) return { reports: [{ ...base, outputs: 0 }], entries: state.entries };
    try {
      const outputs = await runCompaction(deps, state, job);
      reports.push({ ...base, outputs: outputs.length });
      state = stateAfter(state, outputs);
    } catch (error) {
      if (!(await isOvertaken(deps, [state], error))) throw error;
      reports.push({ ...base, outputs: 0, conflict: true });
      break;
    }
    if (job.level === LEVEL.final) break;
  }
  return { reports, entries: state.entries };
}

/** Merges the inputs, writes the outputs, commits. */
async function runCompaction(deps: StorageDeps, state: WindowState, job: CompactionJob): Promise<CatalogEntry[]> {
  const { window } = state;
  const dropped = await deps.droppedRanges?.(window.tenant);
  const items = mergedSeries(await openInputs(deps, window, job.inputs), dropped);
  const outputs = await writeBlocks(deps, window, job.level, items, {
    rowsOf: ({ samples }) => samples.ts.length,
    steps: metricsBlockSteps,
  });
  const event = blockCommitted(deps, window, job.level === LEVEL.final, outputs);
  const commit = { window, head: state.head, level: job.level, outputs, inputs: job.inputs.map((entry) => entry.id) };
  return commitBlocks(deps.table, { ...commit, alongside: [outboxWrite(event)] }, deps.now());
}

/** All inputs as ordered streams: the segments together are one, each block is one. */
async function openInputs(
  deps: StorageDeps,
  window: WindowItem | WindowState['window'],
  inputs: readonly CatalogEntry[],
): Promise<Iterator<RawSeries>[]> {
  const segments = inputs.filter((entry) => entry.kind === 'segment');
  const batches = await mapConcurrent(segments, READS_AT_ONCE, async (entry) => (await openSegment(deps, window, entry)).batch);
  const grouped = groupBySeries(batches, () => true).sort((a, b) => compareSeries(a.series, b.series));
  const streams: Iterator<RawSeries>[] = [grouped.map(({ series, samples }) => ({ series, samples: sortUnique(samples) })).values()];
  for (const entry of inputs) {
    if (entry.kind === 'block' && entry.rows > 0) streams.push(await openBlockSamples(deps, entry));
  }
  return streams;
}

function* mergedSeries(streams: readonly Iterator<RawSeries>[], dropped: DroppedRanges | undefined): Generator<RawSeries> {
  for (const { series, parts } of mergeStreams(streams)) {
    const samples = mergeSamples(parts.map((part) => part.samples));
    yield { series, samples: dropped ? dropped(series).reduce(without, samples) : samples };
  }
}

/** The event of a commit. */
export function blockCommitted(
  deps: StorageDeps,
  window: WindowState['window'],
  final: boolean,
  outputs: readonly { readonly rows: number; readonly bytes: number }[],
): BusEvent {
  const detail: BlockCommitted = {
    id: deps.newId(),
    tenant: window.tenant,
    at: new Date(deps.now()).toISOString(),
    signal: 'metrics',
    tier: window.tier,
    date: window.date,
    final,
    blocks: outputs.length,
    rows: outputs.reduce((sum, output) => sum + output.rows, 0),
    sizeBytes: outputs.reduce((sum, output) => sum + output.bytes, 0),
  };
  return { source: 'quarterdeck.storage', detailType: 'Block Committed', detail };
}

function without(samples: SampleColumns, { fromMs, toMs }: { fromMs: number; toMs: number }): SampleColumns {
  const before = sliceTime(samples, Number.NEGATIVE_INFINITY, fromMs);
  const after = sliceTime(samples, toMs + 1, Number.POSITIVE_INFINITY);
  return mergeSamples([before, after]);
}
