import { INDEX } from '#backups/format/layout.ts';
import type { Sealing } from '#backups/format/sealed-object.ts';
import { decodeLists, indexBytes, listPacks, MAX_INDEX_BYTES, putIndexObjects } from '#backups/packs/index-objects.ts';
import type { PackList } from '#backups/packs/pack-format.ts';
import { listAll, type Repository } from '#backups/repository/repository.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';

/** So many small index objects are borne before they are put together. */
const MAX_SMALL = 16;
const SMALL_BYTES = MAX_INDEX_BYTES / 8;

/**
 * Replaces index objects that name packs which are doomed or gone, and many small ones by few. The new ones are put before the old ones are deleted. Two
 * that do so at once may leave entries twice, or of packs that are gone: whoever loads the index passes over both.
 */
export async function rewriteIndex(sealing: Sealing, repository: Repository, doomed: ReadonlySet<string>): Promise<void> {
  const keys = (await listAll(repository.blobs, INDEX)).map(({ key }) => key);
  // Listed after the index objects: what these name and this lacks is gone.
  const packs = await listPacks(repository);
  const isAlive = ({ packId }: PackList) => packs.has(packId) && !doomed.has(packId);
  const objects = (await mapConcurrent(keys, 4, (key) => readObject(repository, key))).filter((object) => object !== undefined);
  const small = objects.filter(({ lists }) => lists.reduce((sum, list) => sum + indexBytes(list), 0) < SMALL_BYTES);
  const stale = objects.filter(({ lists }) => !lists.every(isAlive));
  const replaced = small.length > MAX_SMALL ? [...new Set([...stale, ...small])] : stale;
  if (replaced.length === 0) return;
  const lists = new Map(replaced.flatMap((object) => object.lists.filter(isAlive).map((list) => [list.packId, list])));
  await putIndexObjects(sealing, repository, [...lists.values()]);
  await repository.blobs.delete(replaced.map(({ key }) => key));
}

async function readObject({ blobs, secrets }: Repository, key: string): Promise<{ key: string; lists: PackList[] } | undefined> {
  try {
    return { key, lists: decodeLists(secrets, key, await blobs.get(key)) };
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}
