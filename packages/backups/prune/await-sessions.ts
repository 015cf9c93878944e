import { SESSIONS, snapshotKey } from '#backups/format/layout.ts';
import { type Sealing, sealJson } from '#backups/format/sealed-object.ts';
import { listAll, newId, type Repository } from '#backups/repository/repository.ts';
import { decodeSnapshot, isTombstone } from '#backups/repository/snapshots.ts';
import { isOpsError } from '#core/errors.ts';

/** A session that has not ended, and how long it has shown no sign of life, by the store's clock. */
export interface WaitingFor {
  readonly session: string;
  readonly silentMs: number;
}

/** The sessions that have an object. */
export async function listSessions(repository: Repository): Promise<string[]> {
  const entries = await listAll(repository.blobs, SESSIONS);
  return [...new Set(entries.map(({ key }) => key.slice(SESSIONS.length).split('/', 1)[0]))];
}

/**
 * Which of the sessions have not ended yet. One that has been silent for the grace period is ended by force: a tombstone in the place of its snapshot
 * makes its commit fail. The times compared are both the store's own, and nothing rests on them but whose work is lost.
 */
export async function awaitSessions(
  sealing: Sealing,
  repository: Repository,
  sessions: readonly string[],
  { graceMs, at }: { readonly graceMs: number; readonly at: string },
): Promise<WaitingFor[]> {
  const waiting: WaitingFor[] = [];
  let storeMs: number | undefined;
  for (const session of sessions) {
    const objects = await listAll(repository.blobs, `${SESSIONS}${session}/`);
    const lastMs = Math.max(...objects.map(({ modifiedAtMs }) => modifiedAtMs));
    // Without objects it has committed and tidied up.
    if (objects.length === 0 || (await hasEnded(repository, session))) continue;
    storeMs ??= await readStoreClock(sealing, repository);
    const silentMs = storeMs - lastMs;
    if (silentMs < graceMs) waiting.push({ session, silentMs });
    else await fence(sealing, repository, session, at);
  }
  return waiting;
}

/** Deletes what fenced sessions have left. Those that committed keep it until their snapshot is forgotten, and are fenced then: a late repeat of their commit must find something in its place. */
export async function tidySessions(repository: Repository): Promise<void> {
  for (const session of await listSessions(repository)) {
    if ((await readEnd(repository, session)) !== 'fenced') continue;
    const objects = await listAll(repository.blobs, `${SESSIONS}${session}/`);
    await repository.blobs.delete(objects.map(({ key }) => key));
  }
}

async function hasEnded(repository: Repository, session: string): Promise<boolean> {
  return (await readEnd(repository, session)) !== undefined;
}

async function readEnd({ blobs, secrets }: Repository, session: string): Promise<'committed' | 'fenced' | undefined> {
  try {
    const record = decodeSnapshot(secrets, session, await blobs.get(snapshotKey(session)));
    return isTombstone(record) ? 'fenced' : 'committed';
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}

async function fence(sealing: Sealing, repository: Repository, session: string, at: string): Promise<void> {
  // If the backup's own commit was first, it has ended as well.
  await repository.blobs.put(snapshotKey(session), sealJson(sealing, snapshotKey(session), { fencedAt: at }));
}

/** What the store's clock says: the time of an object that has just been put. */
async function readStoreClock({ randomBytes }: Sealing, { blobs }: Repository): Promise<number> {
  const key = `probes/${newId(randomBytes)}`;
  await blobs.put(key, new Uint8Array(0));
  const [entry] = await listAll(blobs, key);
  await blobs.delete([key]);
  return entry?.modifiedAtMs ?? 0;
}
