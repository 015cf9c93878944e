import type { Sealing } from '#backups/format/sealed-object.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import { createChunkIndex } from '#backups/packs/chunk-index.ts';
import { createChunkReader, readChunks } from '#backups/packs/chunk-reader.ts';
import { createChunkWriter } from '#backups/packs/chunk-writer.ts';
import { readIndexLists } from '#backups/packs/index-objects.ts';
import { newId, type Repository } from '#backups/repository/repository.ts';
import { chunk } from '#core/batch.ts';
import { putPart } from './condemned.ts';
import type { PrunePlan } from './plan-prune.ts';

const BATCH = 8;

/**
 * A prune's first phase: writes what is used of little-used packs into new ones, then puts the list of packs that are to go. Nothing is deleted;
 * backups that begin from then on leave those packs alone. The list's id; undefined where there is nothing to do.
 */
export async function condemnPacks(
  sealing: Sealing,
  repository: Repository,
  plan: PrunePlan,
  used: ChunkIndex,
  at: string,
): Promise<string | undefined> {
  if (plan.condemn.length + plan.repack.length === 0) return undefined;
  await repack(sealing, repository, new Set(plan.repack.map(({ packId }) => packId)), used);
  const id = newId(sealing.randomBytes);
  await putPart(sealing, repository, id, 'list', { at, packs: [...plan.condemn, ...plan.repack].map(({ packId }) => packId) });
  return id;
}

/** Copies the used chunks of packs into new packs. */
async function repack(sealing: Sealing, repository: Repository, packIds: ReadonlySet<string>, used: ChunkIndex): Promise<void> {
  if (packIds.size === 0) return;
  const reader = createChunkReader(repository);
  const writer = createChunkWriter(sealing, repository, createChunkIndex());
  for await (const { packId, chunks } of readIndexLists(repository)) {
    if (!packIds.has(packId)) continue;
    const wanted = chunks.filter(({ id }) => used.has(id));
    for (const batch of chunk(wanted, BATCH)) {
      for (const content of await readChunks(
        reader,
        batch.map(({ id }) => id),
      ))
        await writer.add(content, 'content');
    }
  }
  await writer.flush();
}
