import { createRepository } from '#backups/repository/create-repository.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { type TakeBackupInput, takeBackup } from '#backups/take/take-backup.ts';
import type { Blobs } from '#ports/blobs.ts';
import { createMemorySource, type MemoryThing } from '#ports/memory/memory-backup-source.ts';
import { createMemoryTarget, type RestoredThing } from '#ports/memory/memory-backup-target.ts';
import { createMemoryBlobs, type MemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

export const unlock = { passphrase: 'correct horse' };

/** A repository in memory with small chunks and cheap keys, and the clock and randomness of its users. */
export interface Bench extends BackupDeps {
  readonly blobs: MemoryBlobs;
  readonly repository: Repository;
  /** The same repository over other ports: faulty ones, or as another process has it. */
  over(blobs: Blobs): Promise<Repository>;
  tick(ms: number): void;
}

export async function createBench(seed = 1): Promise<Bench> {
  const random = seededRandom(seed);
  let nowMs = Date.UTC(2026, 0, 1);
  const clock = () => nowMs;
  const randomBytes = (size: number) => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  const blobs = createMemoryBlobs({ clock });
  const chunker = { minBytes: 64, averageBytes: 256, maxBytes: 1_024 };
  const created = await createRepository({ blobs, randomBytes, clock }, { unlock, chunker, scryptLogN: 1 });
  // Many packs, so that much can happen between them.
  const repository = { ...created, packBytes: 2_048 };
  return {
    clock,
    randomBytes,
    blobs,
    repository,
    over: (other) => openRepository({ blobs: other, randomBytes }, { unlock }),
    tick: (ms) => {
      nowMs += ms;
    },
  };
}

export type Things = Map<string, MemoryThing>;

/** A file whose stamp follows from its content. */
export function file(content: string | Uint8Array, meta: MemoryThing['meta'] = {}): MemoryThing {
  const bytes = Buffer.from(content as Uint8Array);
  return { content: bytes, meta, stamp: `${bytes.length}-${Buffer.from(bytes).toString('base64').slice(0, 64)}-${sum(bytes)}` };
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => (Math.imul(total, 31) + byte) | 0, 7);
}

/** Takes a backup that must end. */
export async function backUp(bench: Bench, things: Things, input: Partial<TakeBackupInput> = {}): Promise<Snapshot> {
  const source = createMemorySource(things);
  const result = await takeBackup(bench, { repository: bench.repository, source, kind: 'incremental', host: 'here', ...input });
  if (result.state !== 'done') throw new Error('the backup did not end');
  return result.snapshot;
}

/** What a snapshot restores to. */
export async function restoreAll(repository: Repository, snapshot: Snapshot): Promise<ReadonlyMap<string, RestoredThing>> {
  const target = createMemoryTarget();
  const { missing } = await runRestore({ repository, snapshot, target });
  if (missing.length > 0) throw new Error(`not restored: ${JSON.stringify(missing)}`);
  return target.restored;
}

/** The same things, as a restore gives them. */
export function asRestored(things: Things): Map<string, RestoredThing> {
  return new Map(
    [...things].map(([path, { kind, meta = {}, content }]) => [
      path,
      {
        kind: kind ?? (content ? 'file' : 'dir'),
        meta,
        sizeBytes: content?.length ?? 0,
        ...(content ? { content: Buffer.from(content) } : {}),
      },
    ]),
  );
}

/** Bytes that do not compress, from a seed. */
export function noise(size: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
}
