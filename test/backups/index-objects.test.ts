import { describe, expect, it } from 'vitest';
import { packKey } from '#backups/format/layout.ts';
import { decodeLists, indexBytes, MAX_INDEX_BYTES, putIndexObjects, readIndexLists } from '#backups/packs/index-objects.ts';
import type { PackList } from '#backups/packs/pack-format.ts';
import { rewriteIndex } from '#backups/prune/rewrite-index.ts';
import { createBench } from './kit.ts';

const PACKS = 30;
const CHUNKS = 16_000;

/** The list of a pack of many small files. */
function listOf(number: number): PackList {
  const id = Buffer.alloc(32, number);
  const chunks = Array.from({ length: CHUNKS }, () => ({ id, isCompressed: false, storedBytes: 100, sizeBytes: 72 }));
  return { packId: number.toString(16).padStart(32, '0'), salt: Buffer.alloc(16, number), chunks };
}

describe('the index', () => {
  it('is put together into objects that are never too large to be read again, and stays as it is then', async () => {
    const bench = await createBench();
    const { repository } = bench;
    const sealing = { secrets: repository.secrets, randomBytes: bench.randomBytes };
    for (let number = 0; number < PACKS; number++) {
      const list = listOf(number);
      await putIndexObjects(sealing, repository, [list]);
      await repository.blobs.put(packKey(list.packId), Buffer.of(1));
    }
    await rewriteIndex(sealing, repository, new Set());
    const keys = [...bench.blobs.stored.keys()].filter((key) => key.startsWith('index/'));
    const sizes = keys.map((key) =>
      decodeLists(repository.secrets, key, bench.blobs.stored.get(key)?.body ?? Buffer.of()).reduce(
        (sum, list) => sum + indexBytes(list),
        0,
      ),
    );
    expect([keys.length, Math.max(...sizes) <= MAX_INDEX_BYTES]).toEqual([3, true]);
    const packs = new Set<string>();
    for await (const { packId } of readIndexLists(repository)) packs.add(packId);
    expect(packs.size).toBe(PACKS);
    await rewriteIndex(sealing, repository, new Set());
    expect([...bench.blobs.stored.keys()].filter((key) => key.startsWith('index/'))).toEqual(keys);
  });

  it('has a pack that is larger than an object should be by itself', async () => {
    const bench = await createBench();
    const sealing = { secrets: bench.repository.secrets, randomBytes: bench.randomBytes };
    const large = { ...listOf(1), chunks: Array.from({ length: 15 }, () => listOf(1).chunks).flat() };
    await putIndexObjects(sealing, bench.repository, [listOf(0), large, listOf(2)]);
    const packs: string[] = [];
    for await (const { packId } of readIndexLists(bench.repository)) packs.push(packId);
    expect(packs).toHaveLength(3);
  });
});
