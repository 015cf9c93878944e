import { INDEX, packKey } from '#backups/format/layout.ts';
import type { Sealing } from '#backups/format/sealed-object.ts';
import { createChunkIndex } from '#backups/packs/chunk-index.ts';
import { createChunkWriter } from '#backups/packs/chunk-writer.ts';
import { decodeLists, listPacks, putIndexObjects, readIndexLists } from '#backups/packs/index-objects.ts';
import type { PackList } from '#backups/packs/pack-format.ts';
import { verifyPack } from '#backups/packs/verify-pack.ts';
import { rewriteIndex } from '#backups/prune/rewrite-index.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { listAll } from '#backups/repository/repository.ts';
import { openSession } from '#backups/take/session.ts';
import { OpsError } from '#core/errors.ts';

/** What was done to packs and index. */
export interface RepairedPacks {
  /** Index objects that were damaged, and are replaced by what the packs say of themselves. */
  readonly indexObjects: readonly string[];
  /** Packs that no index named, and one does now. */
  readonly listedPacks: readonly string[];
  /** Packs that were damaged; what was sound in them lies in new ones. */
  readonly salvagedPacks: readonly string[];
}

export interface RepairPacksOptions {
  readonly isDryRun: boolean;
  /** ISO time. */
  readonly at: string;
}

/**
 * Makes index and packs sound: packs that no index object names (any more) are listed from their own ends, and what is sound in damaged ones is written anew. A pack is
 * given up only after it has been found damaged twice: what is read wrong once may be right the next time.
 */
export async function repairPacks(sealing: Sealing, repository: Repository, { isDryRun, at }: RepairPacksOptions): Promise<RepairedPacks> {
  // What is saved lies in packs that no snapshot and no index names for a while: a pruner that finds them waits for the session to end.
  const session = isDryRun ? undefined : await openSession(sealing, repository, { at });
  const indexObjects = await damagedIndexObjects(repository);
  const listed = new Set<string>();
  const salvaged: string[] = [];
  const writer = createChunkWriter(sealing, repository, createChunkIndex());
  const packs = await listPacks(repository);
  const found: PackList[] = [];
  const look = async (packId: string, list?: PackList) => {
    const first = await verifyPack(repository, packId, list);
    if (first.problems.length === 0) {
      if (!list && first.ownList) found.push(first.ownList);
      return;
    }
    const again = await verifyPack(
      repository,
      packId,
      list,
      isDryRun ? undefined : async (_, content) => void (await writer.add(content, 'content')),
    );
    if (again.problems.length > 0) salvaged.push(packId);
  };
  for await (const list of readIndexLists(repository, () => undefined)) {
    if (!packs.has(list.packId) || listed.has(list.packId)) continue;
    listed.add(list.packId);
    await look(list.packId, list);
  }
  for (const packId of packs.keys()) if (!listed.has(packId)) await look(packId);
  if (session) {
    await writer.flush();
    await putIndexObjects(sealing, repository, found);
    await repository.blobs.delete(indexObjects);
    await rewriteIndex(sealing, repository, new Set(salvaged));
    // In this order: who judges after the end of the session finds damaged packs in no index any more, and needs the new ones.
    await (salvaged.length > 0 ? session.end() : session.remove());
    await repository.blobs.delete(salvaged.map(packKey));
  }
  return { indexObjects, listedPacks: found.map(({ packId }) => packId), salvagedPacks: salvaged };
}

async function damagedIndexObjects({ blobs, secrets }: Repository): Promise<string[]> {
  const damaged: string[] = [];
  for (const { key } of await listAll(blobs, INDEX)) {
    try {
      decodeLists(secrets, key, await blobs.get(key));
    } catch (error) {
      if (!(error instanceof OpsError) || error.kind !== 'input') throw error;
      damaged.push(key);
    }
  }
  return damaged;
}
