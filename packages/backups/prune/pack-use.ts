import { createWalk } from '#backups/entries/walk-references.ts';
import { packKey } from '#backups/format/layout.ts';
import { type ChunkIndex, createChunkIndex } from '#backups/packs/chunk-index.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import { listPacks, loadIndex, readIndexLists } from '#backups/packs/index-objects.ts';
import { ENTRY_BYTES, PACK_OVERHEAD_BYTES } from '#backups/packs/pack-format.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import type { Retention } from '#ports/object-lock.ts';
import type { PackUse } from './plan-prune.ts';

/**
 * Every chunk that the snapshots refer to. Throws where a snapshot or a list of entries is damaged, and `conflict` where a chunk is in no pack
 * that the index names: it may lie in one that would be taken for unused.
 */
export async function findUsed(repository: Repository): Promise<ChunkIndex> {
  const walk = createWalk(createChunkReader(repository));
  for (const { entries } of await listSnapshots(repository)) await walk.visit(entries);
  const { chunks } = await loadIndex(repository);
  const lost = walk.used.size - walk.used.countIn(chunks);
  if (lost === 0) return walk.used;
  throw new OpsError('conflict', `${lost} chunks that snapshots refer to are in no pack: nothing is deleted`, {
    hint: 'Run repair first.',
  });
}

/**
 * How much of each pack is used. A chunk that lies in several packs counts for one of them, never for one of `except`. Packs that no index names
 * count as unused.
 */
export async function measureUse(
  repository: Repository,
  used: ChunkIndex,
  except: ReadonlySet<string>,
  retention?: Retention,
): Promise<PackUse[]> {
  const counted = createChunkIndex(used.size);
  const usedBytes = new Map<string, number>();
  const packs = await listPacks(repository);
  for await (const { packId, chunks } of readIndexLists(repository)) {
    if (!packs.has(packId) || except.has(packId) || usedBytes.has(packId)) continue;
    let bytes = 0;
    for (const { id, storedBytes } of chunks) {
      if (!used.has(id) || counted.has(id)) continue;
      counted.reserve(id);
      bytes += storedBytes + ENTRY_BYTES;
    }
    usedBytes.set(packId, bytes === 0 ? 0 : bytes + PACK_OVERHEAD_BYTES);
  }
  const entries = [...packs].filter(([packId]) => !except.has(packId));
  return mapConcurrent(entries, 8, async ([packId, sizeBytes]) => {
    const retainUntilMs = await retention?.retainUntilMs(packKey(packId));
    return { packId, sizeBytes, usedBytes: Math.min(sizeBytes, usedBytes.get(packId) ?? 0), retainUntilMs };
  });
}
