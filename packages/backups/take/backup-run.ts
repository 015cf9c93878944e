import type { Content } from '#backups/entries/chunk-refs.ts';
import type { EntryWriterState } from '#backups/entries/entry-writer.ts';
import type { WriterCounts } from '#backups/packs/chunk-writer.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import type { SourceFault } from '#ports/backup-source.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { PassState } from './run-pass.ts';

const MAX_FAULTS = 1_000;

/** A backup under way, in this process: where it stands, and what it brought from those before. */
export interface BackupRun {
  readonly startedAt: string;
  pass: number;
  passStartedAt: string;
  readonly parent: string | undefined;
  previous: Content | undefined;
  entriesFrom: EntryWriterState | undefined;
  readonly state: PassState;
  readonly faults: SourceFault[];
  faultCount: number;
  readonly before: Checkpoint['totals'];
}

/** A run from its beginning, or from a checkpoint. */
export function startRun(checkpoint: Checkpoint | undefined, now: string, parent: string | undefined): BackupRun {
  return {
    startedAt: checkpoint?.startedAt ?? now,
    pass: checkpoint?.pass ?? 1,
    passStartedAt: checkpoint?.passStartedAt ?? now,
    parent,
    previous: checkpoint?.previous,
    entriesFrom: checkpoint?.entries,
    state: {
      cursor: checkpoint?.cursor,
      partial: checkpoint?.partial,
      counts: { ...(checkpoint?.counts ?? { items: 0, bytes: 0, unchangedItems: 0, changedItems: 0, newItems: 0 }) },
      movedPaths: [...(checkpoint?.movedPaths ?? [])],
      readBytes: 0,
    },
    faults: [...(checkpoint?.faults ?? [])],
    faultCount: checkpoint?.faultCount ?? 0,
    before: checkpoint?.totals ?? { readBytes: 0, newBytes: 0, storedBytes: 0 },
  };
}

/** Goes over the source once more, to see whether what the last pass found still holds. */
export function beginPass(run: BackupRun, previous: Content, now: string): void {
  const { state } = run;
  run.pass++;
  run.passStartedAt = now;
  run.previous = previous;
  run.entriesFrom = undefined;
  run.faults.length = 0;
  run.faultCount = 0;
  state.cursor = undefined;
  state.partial = undefined;
  state.counts.items = 0;
  state.counts.bytes = 0;
  state.movedPaths.length = 0;
}

/** Takes note of what could not be read; of very many, the first. */
export function addFault(run: BackupRun, { path, message }: SourceFault): void {
  run.faultCount++;
  if (run.faults.length < MAX_FAULTS) run.faults.push({ path, message });
}

/** All that the run needs to go on in another process. */
export function checkpointOf(run: BackupRun, entries: EntryWriterState, written: WriterCounts): Checkpoint {
  const { startedAt, pass, passStartedAt, parent, previous, faults, faultCount } = run;
  const { cursor, partial, counts, movedPaths } = run.state;
  const position = { startedAt, pass, passStartedAt, parent, previous, cursor, partial, entries };
  return { ...position, counts, movedPaths, faults, faultCount, totals: totalsOf(run, written) };
}

/** Bytes read and written by all processes of this session. */
export function totalsOf({ before, state }: BackupRun, written: WriterCounts): Checkpoint['totals'] {
  return {
    readBytes: before.readBytes + state.readBytes,
    newBytes: before.newBytes + written.newBytes,
    storedBytes: before.storedBytes + written.storedBytes,
  };
}

/** The manifest of what the run found. */
export function snapshotOf(
  run: BackupRun,
  about: Pick<Snapshot, 'id' | 'source' | 'host' | 'tags' | 'kind' | 'guarantee' | 'entries'>,
  written: WriterCounts,
): Snapshot {
  const { faults, faultCount, parent, startedAt, state } = run;
  const counts = { ...state.counts, ...totalsOf(run, written) };
  return { ...about, at: startedAt, ...(parent === undefined ? {} : { parent }), counts, faults, faultCount };
}
