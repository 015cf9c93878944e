import { SESSIONS, snapshotKey } from '#backups/format/layout.ts';
import { type Sealing, sealJson } from '#backups/format/sealed-object.ts';
import { listAll, newId, type Repository } from '#backups/repository/repository.ts';
import { decodeSnapshot, encodeSnapshot, isTombstone, type Snapshot } from '#backups/repository/snapshots.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Blobs } from '#ports/blobs.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

/** A backup, from its first object to its commit; its id is that of the snapshot. */
export interface Session {
  readonly id: string;
  /** The snapshot, if the session has committed already. */
  readonly committed?: Snapshot | undefined;
  /** Where it stopped, if it was begun before. */
  readonly checkpoint?: Checkpoint | undefined;
  putCheckpoint(checkpoint: Checkpoint): Promise<void>;
  /** The one put that makes the snapshot exist. The snapshot that does: another run of the same session may have been first. */
  commit(snapshot: Snapshot): Promise<Snapshot>;
  /** Ends it without a snapshot: pruners judge what it wrote from then on. `conflict` where one of them has ended it before. */
  end(): Promise<void>;
  /** Removes it without a trace, where it has written nothing. */
  remove(): Promise<void>;
}

const ID = /^[0-9a-f]{32}$/;

/**
 * Opens a session, or goes on with one. From its first object on no pruner deletes anything that it comes to use. `conflict` where it has
 * been fenced: a pruner found no sign of life and made its commit impossible.
 */
export async function openSession(
  sealing: Sealing,
  repository: Repository,
  about: { readonly at: string; readonly id?: string | undefined },
): Promise<Session> {
  const { blobs, secrets } = repository;
  const id = about.id ?? newId(sealing.randomBytes);
  if (!ID.test(id))
    throw new OpsError('input', 'a session is named by 32 hexadecimal digits', { hint: 'Leave it out to begin a new one.' });
  const folder = `${SESSIONS}${id}/`;
  const openKey = `${folder}open`;
  await blobs.put(openKey, sealJson(sealing, openKey, { at: about.at }));
  const committed = about.id === undefined ? undefined : await readCommitted(repository, id);
  const numbers = about.id === undefined ? [] : await checkpointNumbers(repository, folder);
  let last = numbers.at(-1) ?? 0;
  const checkpoint =
    last === 0 ? undefined : decodeCheckpoint(secrets, checkpointKey(folder, last), await blobs.get(checkpointKey(folder, last)));
  const removeObjects = async () => {
    const objects = await listAll(blobs, folder);
    await tidy(
      blobs,
      objects.map(({ key }) => key),
    );
  };
  return {
    id,
    committed,
    checkpoint,
    putCheckpoint: async (next) => {
      const key = checkpointKey(folder, last + 1);
      const body = encodeCheckpoint(sealing, key, next);
      if ((await blobs.put(key, body)) === 'exists' && Buffer.compare(await blobs.get(key), body) !== 0) throw anotherRuns(id);
      last++;
      // Only the newest is ever read, and the one before it by whoever lists meanwhile.
      if (last > 2) await tidy(blobs, [checkpointKey(folder, last - 2)]);
    },
    commit: async (snapshot) => {
      const put = await blobs.put(snapshotKey(id), encodeSnapshot(sealing, snapshot));
      if (put === 'exists') return (await readCommitted(repository, id)) ?? snapshot;
      await removeObjects();
      return snapshot;
    },
    end: async () => {
      const tombstone = sealJson(sealing, snapshotKey(id), { fencedAt: about.at });
      if ((await blobs.put(snapshotKey(id), tombstone)) === 'exists' && Buffer.compare(await blobs.get(snapshotKey(id)), tombstone) !== 0)
        throw endedByPruner(id);
      await removeObjects();
    },
    remove: removeObjects,
  };
}

/** Who backs up need not be allowed to delete: what stays behind a pruner tidies up. */
async function tidy({ delete: remove }: Blobs, keys: readonly string[]): Promise<void> {
  try {
    await remove(keys);
  } catch (error) {
    if (!isOpsError(error, 'denied')) throw error;
  }
}

function checkpointKey(folder: string, number: number): string {
  return `${folder}checkpoint-${String(number).padStart(8, '0')}`;
}

async function checkpointNumbers({ blobs }: Repository, folder: string): Promise<number[]> {
  const entries = await listAll(blobs, `${folder}checkpoint-`);
  return entries.map(({ key }) => Number(key.slice(-8)));
}

/** The session's snapshot if it has committed; throws `conflict` where it is fenced. */
async function readCommitted({ blobs, secrets }: Repository, id: string): Promise<Snapshot | undefined> {
  try {
    const record = decodeSnapshot(secrets, id, await blobs.get(snapshotKey(id)));
    if (!isTombstone(record)) return record;
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
  throw endedByPruner(id);
}

function endedByPruner(id: string): OpsError {
  return new OpsError('conflict', `session ${id} was ended by a pruner, which saw no sign of life of it`, {
    hint: 'Begin anew: most of what this one stored is found again. A longer grace period of the pruner avoids it.',
  });
}

function anotherRuns(id: string): OpsError {
  return new OpsError('conflict', `session ${id} is being continued by another process`, { hint: 'Let that one end.' });
}
