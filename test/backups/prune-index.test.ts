import { expect, it } from 'vitest';
import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { createChunkIndex } from '#backups/packs/chunk-index.ts';
import { condemnPacks } from '#backups/prune/condemn.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import type { Blobs } from '#ports/blobs.ts';
import { asRestored, backUp, createBench, file, noise, restoreAll, type Things } from './kit.ts';

it('a prune that reads an index with a hole in it, as another pruner rewrites it, deletes nothing that is used', async () => {
  const things: Things = new Map([
    ['a', file(noise(3_000, 1))],
    ['b', file(noise(3_000, 2))],
  ]);
  let holes = 0;
  for (let hole = 1; hole <= 16; hole++) {
    const bench = await createBench(hole);
    const old = await backUp(bench, new Map([['gone', file(noise(5_000, 3))]]));
    const snapshot = await backUp(bench, things);
    // Every pack stands condemned, as where a backup that the list was made before came to use them.
    const packs = [...bench.blobs.stored.entries()].filter(([key]) => key.startsWith('packs/'));
    const condemn = packs.map(([key, { body }]) => ({ packId: key.slice(-32), sizeBytes: body.length, usedBytes: 0 }));
    const plan = { condemn, repack: [], deferred: [], extend: [], totalBytes: 0, unusedBytes: 0, freedBytes: 0 };
    const sealing = { secrets: bench.repository.secrets, randomBytes: bench.randomBytes };
    await condemnPacks(sealing, bench.repository, plan, createChunkIndex(), '2026-01-01T00:00:00Z');
    await forgetSnapshots(bench.repository, [old]);
    let lists = 0;
    const list: Blobs['list'] = async (prefix, page) => {
      const answer = await bench.blobs.list(prefix, page);
      if (prefix !== 'index/' || ++lists !== hole) return answer;
      holes++;
      return { entries: [] };
    };
    const repository = { ...bench.repository, blobs: { ...bench.blobs, list } };
    await runPrune(bench, { repository, graceMs: 0 }).catch(() => undefined);
    await runPrune(bench, { repository: bench.repository, graceMs: 0 });
    expect(await restoreAll(bench.repository, snapshot), `hole ${hole}`).toEqual(asRestored(things));
  }
  expect(holes).toBeGreaterThan(6);
});
