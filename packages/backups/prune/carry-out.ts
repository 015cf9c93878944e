import { packKey } from '#backups/format/layout.ts';
import type { Sealing } from '#backups/format/sealed-object.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import { loadIndex, readIndexLists } from '#backups/packs/index-objects.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { chunk } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import type { Retention } from '#ports/object-lock.ts';
import { awaitSessions, listSessions, type WaitingFor } from './await-sessions.ts';
import { condemnedKey, condemnedPacks, putPart, readPart } from './condemned.ts';
import { findUsed } from './pack-use.ts';
import { rewriteIndex } from './rewrite-index.ts';

export interface CarryOutOptions {
  readonly graceMs: number;
  readonly at: string;
  readonly nowMs: number;
  readonly retention?: Retention | undefined;
}

export type CarriedOut =
  | { readonly state: 'done'; readonly deletedPacks: readonly string[]; readonly sparedPacks: readonly string[] }
  | { readonly state: 'waiting'; readonly for: readonly WaitingFor[] };

const MAX_DELETE = 1_000;

/**
 * A prune's second phase for one list. Every session that was open when the list came to stand must have ended; then the snapshots are read again,
 * what they need is spared, and the verdict is put once: any number of pruners, in any order, after any crash, carry out the same one.
 */
export async function carryOut(
  sealing: Sealing,
  repository: Repository,
  id: string,
  options: CarryOutOptions,
): Promise<CarriedOut | undefined> {
  const list = await readPart(repository, id, 'list');
  if (!list) return tidyList(repository, id);
  const waits =
    (await readPart(repository, id, 'waits')) ??
    (await putPart(sealing, repository, id, 'waits', { sessions: await listSessions(repository) }));
  const waiting = await awaitSessions(sealing, repository, waits.sessions, options);
  if (waiting.length > 0) return { state: 'waiting', for: waiting };
  const verdict = (await readPart(repository, id, 'verdict')) ?? (await reachVerdict(sealing, repository, id, list.packs, options));
  // If the list has gone, another pruner has carried out a verdict and tidied up; one that was put after that counts for nothing.
  if (!(await readPart(repository, id, 'list'))) return tidyList(repository, id);
  const doomed = new Set(verdict.packs);
  await rewriteIndex(sealing, repository, doomed);
  for (const batch of chunk(verdict.packs, MAX_DELETE)) await repository.blobs.delete(batch.map(packKey));
  // The list goes first: while it stands so does the verdict.
  await repository.blobs.delete([condemnedKey(id, 'list')]);
  await tidyList(repository, id);
  return { state: 'done', deletedPacks: verdict.packs, sparedPacks: list.packs.filter((pack) => !doomed.has(pack)) };
}

/** Deletes what is left of a list that has gone. */
async function tidyList({ blobs }: Repository, id: string): Promise<undefined> {
  await blobs.delete([condemnedKey(id, 'waits'), condemnedKey(id, 'verdict')]);
}

/** Of the condemned packs those that nothing needs: a chunk counts as had elsewhere only in a pack that is there and that no list condemns. */
async function reachVerdict(sealing: Sealing, repository: Repository, id: string, packs: readonly string[], options: CarryOutOptions) {
  // Lists are read before packs are listed: of two pruners that each take the other's copy of a chunk for the one that stays, one at least
  // sees the other's list, or finds its pack gone.
  const condemned = await condemnedPacks(repository);
  const used = await findUsed(repository);
  const needed = await packsNeeded(repository, used, condemned);
  const locked = await lockedPacks(packs, options);
  const doomed = packs.filter((pack) => !needed.has(pack) && !locked.has(pack));
  await assertRemains(repository, used, new Set(doomed));
  return putPart(sealing, repository, id, 'verdict', { packs: doomed });
}

/** The index is read in several calls, which a pruner that rewrites it meanwhile may fall between: what seems needed by nobody is looked for again. */
async function assertRemains(repository: Repository, used: ChunkIndex, doomed: ReadonlySet<string>): Promise<void> {
  if (doomed.size === 0) return;
  const lost = used.size - used.countIn((await loadIndex(repository, doomed)).chunks);
  if (lost > 0)
    throw new OpsError('unavailable', `the index changed while it was read: ${lost} chunks would be lost, and nothing is deleted`);
}

async function packsNeeded(repository: Repository, used: ChunkIndex, condemned: ReadonlySet<string>): Promise<Set<string>> {
  const live = (await loadIndex(repository, condemned)).chunks;
  const needed = new Set<string>();
  for await (const { packId, chunks } of readIndexLists(repository)) {
    if (condemned.has(packId) && chunks.some(({ id }) => used.has(id) && !live.has(id))) needed.add(packId);
  }
  return needed;
}

async function lockedPacks(packs: readonly string[], { nowMs, retention }: CarryOutOptions): Promise<Set<string>> {
  const locked = new Set<string>();
  if (!retention) return locked;
  for (const pack of packs) if (((await retention.retainUntilMs(packKey(pack))) ?? 0) > nowMs) locked.add(pack);
  return locked;
}
