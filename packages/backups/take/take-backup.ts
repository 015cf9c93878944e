import { type Cutter, createCutter } from '#backups/chunks/fast-cdc.ts';
import type { Content } from '#backups/entries/chunk-refs.ts';
import { createEntryWriter, type EntryWriter } from '#backups/entries/entry-writer.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import { type ChunkWriter, createChunkWriter } from '#backups/packs/chunk-writer.ts';
import { loadIndex } from '#backups/packs/index-objects.ts';
import { condemnedPacks } from '#backups/prune/condemned.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import { type BackupKind, findSnapshot, listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import { addFault, type BackupRun, beginPass, checkpointOf, snapshotOf, startRun, totalsOf } from './backup-run.ts';
import type { Checkpoint, PartialItem } from './checkpoint.ts';
import { settleGuarantee } from './guarantee.ts';
import { walkParent } from './merge-parent.ts';
import { createPacer, type Pacer, type PacerOptions } from './pacer.ts';
import { runPass } from './run-pass.ts';
import { openSession, type Session } from './session.ts';

export interface BackupProgress {
  readonly path: string;
  /** 1, or more where a `snapshot` looks whether anything moved. */
  readonly pass: number;
  readonly items: number;
  readonly readBytes: number;
  readonly newBytes: number;
}

export interface TakeBackupInput extends PacerOptions {
  readonly repository: Repository;
  readonly source: BackupSource;
  readonly kind: BackupKind;
  readonly host: string;
  readonly tags?: readonly string[] | undefined;
  /** The snapshot to compare with, instead of the one that the kind asks for. */
  readonly parent?: string | undefined;
  /** A session to go on with, or the id for a new one. */
  readonly session?: string | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** `continued`: time was up; call again with this session. */
export type BackupResult =
  | { readonly state: 'done'; readonly snapshot: Snapshot }
  | { readonly state: 'continued'; readonly session: string };

interface Prepared {
  readonly deps: BackupDeps;
  readonly input: TakeBackupInput;
  readonly session: Session;
  readonly run: BackupRun;
  readonly parent: Snapshot | undefined;
  readonly index: ChunkIndex;
  readonly cutter: Cutter;
  readonly reader: ChunkReader;
  readonly writer: ChunkWriter;
  readonly pacer: Pacer;
}

/**
 * Takes a backup. Nothing of it can be seen until its snapshot is put, in one piece; killed at any moment it goes on from its last checkpoint when
 * it is called with the same session. Errors: what the source says of itself (`missing`, `denied`), `conflict` where the session was fenced
 * or another process runs it, `unavailable` of the store. What fails for one item is in the snapshot's faults.
 */
export async function takeBackup(deps: BackupDeps, input: TakeBackupInput): Promise<BackupResult> {
  const sealing = { secrets: input.repository.secrets, randomBytes: deps.randomBytes };
  // The order is what makes pruning safe: session, condemned packs, index.
  const session = await openSession(sealing, input.repository, { at: nowOf(deps), id: input.session });
  if (session.committed) return { state: 'done', snapshot: session.committed };
  const { repository } = input;
  const loaded = await loadIndex(repository, await condemnedPacks(repository));
  const parent = await findParent(input, session.checkpoint);
  const writer = createChunkWriter(sealing, repository, loaded.chunks);
  return runPasses({
    deps,
    input,
    session,
    parent,
    writer,
    run: startRun(session.checkpoint, nowOf(deps), parent?.id),
    index: loaded.chunks,
    reader: createChunkReader(repository, loaded),
    cutter: createCutter(repository.chunker),
    pacer: createPacer(deps.clock, input, writer.counts),
  });
}

async function runPasses(prepared: Prepared): Promise<BackupResult> {
  const { deps, input, session, run, writer } = prepared;
  const { source, kind } = input;
  for (;;) {
    const root = await runOnePass(prepared);
    if (!root) return { state: 'continued', session: session.id };
    const { pass, passStartedAt, startedAt, previous, state } = run;
    const guarantee = await settleGuarantee(source, { kind, pass, passStartedAt, startedAt, root, previous, movedPaths: state.movedPaths });
    if (guarantee) {
      const { type, name } = source;
      const about = {
        id: session.id,
        source: { type, name },
        host: input.host,
        tags: [...(input.tags ?? [])],
        kind,
        guarantee,
        entries: root,
      };
      return { state: 'done', snapshot: await session.commit(snapshotOf(run, about, writer.counts)) };
    }
    beginPass(run, root, nowOf(deps));
  }
}

/** What the pass found, all of it durable; undefined where time was up, and a checkpoint has been put. */
async function runOnePass(prepared: Prepared): Promise<Content | undefined> {
  const { input, run, index, cutter, reader, writer, parent } = prepared;
  const entries = createEntryWriter(writer, run.entriesFrom);
  const before = run.previous ?? parent?.entries;
  const ended = await runPass(
    {
      source: input.source,
      cutter,
      index,
      reader,
      writer,
      entries,
      parent: walkParent(before && readEntries(reader, before)),
      readAll: input.kind === 'full' && run.pass === 1,
      countsMoves: run.pass === 1,
      onFault: (fault) => addFault(run, fault),
      pause: (partial) => pauseIfDue(prepared, entries, partial),
      onItem: (path) => tellProgress(prepared, path),
    },
    run.state,
  );
  if (!ended) return undefined;
  const root = await entries.end();
  await writer.flush();
  return root;
}

async function pauseIfDue({ session, run, writer, pacer }: Prepared, entries: EntryWriter, partial?: () => PartialItem): Promise<boolean> {
  const isOver = pacer.isOver();
  if (isOver || pacer.isDue()) {
    run.state.partial = partial?.();
    await writer.flush();
    await session.putCheckpoint(checkpointOf(run, entries.state(), writer.counts));
    pacer.restart();
  }
  return isOver;
}

function tellProgress({ input, run, writer }: Prepared, path: string): void {
  const { readBytes, newBytes } = totalsOf(run, writer.counts);
  input.onProgress?.({ path, pass: run.pass, items: run.state.counts.items, readBytes, newBytes });
}

/** The snapshot to compare with: that of the checkpoint, the one asked for, or the newest of this source that the kind allows. */
async function findParent(input: TakeBackupInput, checkpoint: Checkpoint | undefined): Promise<Snapshot | undefined> {
  const { repository, source, kind, host } = input;
  if (kind === 'full') return undefined;
  if (!checkpoint && input.parent !== undefined) return findSnapshot(repository, input.parent);
  const snapshots = await listSnapshots(repository, () => undefined);
  // Forgotten meanwhile, it is missed: the rest is read.
  if (checkpoint) return snapshots.find(({ id }) => id === checkpoint.parent);
  const own = snapshots.filter(
    (snapshot) => snapshot.source.type === source.type && snapshot.source.name === source.name && snapshot.host === host,
  );
  return own.findLast((snapshot) => kind !== 'differential' || snapshot.kind === 'full');
}

function nowOf({ clock }: BackupDeps): string {
  return new Date(clock()).toISOString();
}
