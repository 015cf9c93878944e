import { describe, expect, it } from 'vitest';
import { checkRepository } from '#backups/check/check-repository.ts';
import { copySnapshots } from '#backups/copy/copy-snapshots.ts';
import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { putPart } from '#backups/prune/condemned.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import { repairRepository } from '#backups/repair/repair-repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { isOpsError } from '#core/errors.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { createInterleaver } from './interleave.ts';
import { asRestored, type Bench, backUp, createBench, file, noise, restoreAll, type Things } from './kit.ts';

const files = (count: number): Things => new Map(Array.from({ length: count }, (_, n) => [`f${n + 10}`, file(noise(900, n))]));

async function flip({ blobs }: Bench, key: string, at: number): Promise<void> {
  const body = Buffer.from(blobs.stored.get(key)!.body);
  body[at] ^= 1;
  await blobs.delete([key]);
  await blobs.put(key, body);
}

const keysOf = ({ blobs }: Bench, prefix: string) => [...blobs.stored.keys()].filter((key) => key.startsWith(prefix));

describe('a copy to another repository', () => {
  it('restores to the same, has other keys, and is not made twice', async () => {
    const [from, to] = [await createBench(1), await createBench(2)];
    await backUp(from, files(4));
    from.tick(1_000);
    await backUp(from, files(8));
    const input = { from: from.repository, to: to.repository };
    const { copied } = await copySnapshots(to, input);
    expect(copied).toHaveLength(2);
    expect(await restoreAll(to.repository, copied[0])).toEqual(asRestored(files(4)));
    expect(await restoreAll(to.repository, copied[1])).toEqual(asRestored(files(8)));
    expect((await checkRepository({ repository: to.repository, data: 'all' })).problems).toEqual([]);
    expect(await copySnapshots(to, input)).toMatchObject({ copied: [], there: [{ id: copied[0].id }, { id: copied[1].id }] });
  });

  it('reads of a later snapshot only what the earlier copy lacks', async () => {
    const [from, to] = [await createBench(1), await createBench(2)];
    await backUp(from, files(8));
    await copySnapshots(to, { from: from.repository, to: to.repository });
    from.tick(1_000);
    await backUp(from, new Map([...files(8), ['new', file('new')]]));
    let readBytes = 0;
    const get: typeof from.blobs.get = async (key, range) => {
      const bytes = await from.blobs.get(key, range);
      if (key.startsWith('packs/')) readBytes += bytes.length;
      return bytes;
    };
    const { copied } = await copySnapshots(to, { from: { ...from.repository, blobs: { ...from.blobs, get } }, to: to.repository });
    expect(readBytes).toBeLessThan(5_000);
    expect(await restoreAll(to.repository, copied[0])).toEqual(asRestored(new Map([...files(8), ['new', file('new')]])));
  });

  it('that died is gone on with: what it had stored is found', async () => {
    const [from, to] = [await createBench(1), await createBench(2)];
    await backUp(from, files(300));
    let puts = 0;
    const put: typeof to.blobs.put = async (key, body) => {
      if (key.startsWith('packs/') && ++puts > 100) throw new Error('killed');
      return to.blobs.put(key, body);
    };
    const dying = { ...to.repository, blobs: { ...to.blobs, put } };
    await expect(copySnapshots(to, { from: from.repository, to: dying })).rejects.toThrow('killed');
    const { copied } = await copySnapshots(to, { from: from.repository, to: to.repository });
    expect(copied[0].counts.newBytes).toBeLessThan(200_000);
    expect(await restoreAll(to.repository, copied[0])).toEqual(asRestored(files(300)));
  });

  it('fails where the original has lost something, and leaves no snapshot', async () => {
    const [from, to] = [await createBench(1), await createBench(2)];
    await backUp(from, files(4));
    await from.blobs.delete([keysOf(from, 'packs/')[0]]);
    await expect(copySnapshots(to, { from: from.repository, to: to.repository })).rejects.toMatchObject({ kind: 'missing' });
    expect(await listSnapshots(to.repository)).toEqual([]);
  });
});

/** One snapshot of two, and a flipped bit in a pack. */
async function createDamaged(seed: number): Promise<Bench> {
  const bench = await createBench(seed);
  const old = await backUp(bench, files(6));
  await backUp(bench, new Map([...files(5), ['new', file(noise(900, 99))]]));
  await forgetSnapshots(bench.repository, [old]);
  await flip(bench, keysOf(bench, 'packs/')[0], 40);
  return bench;
}

async function restoreOnly({ repository }: Bench) {
  const snapshots = await listSnapshots(repository);
  expect(snapshots).toHaveLength(1);
  return restoreAll(repository, snapshots[0]);
}

describe('repair', () => {
  it('does nothing to a sound repository', async () => {
    const bench = await createBench();
    await backUp(bench, files(4));
    const before = [...bench.blobs.stored.keys()];
    const result = await repairRepository(bench, { repository: bench.repository });
    expect(result).toEqual({ indexObjects: [], listedPacks: [], salvagedPacks: [], snapshots: [], lostSnapshots: [] });
    expect([...bench.blobs.stored.keys()]).toEqual(before);
  });

  it.each(['lost', 'damaged'])('makes the index anew where it is %s, and nothing else is', async (how) => {
    const bench = await createBench();
    const snapshot = await backUp(bench, files(6));
    const [index] = keysOf(bench, 'index/');
    if (how === 'lost') await bench.blobs.delete([index]);
    else await flip(bench, index, 60);
    await repairRepository(bench, { repository: bench.repository });
    expect((await checkRepository({ repository: bench.repository, data: 'all' })).problems).toEqual([]);
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(files(6)));
  });

  it('saves all but what a flipped bit has spoilt, and names that', async () => {
    const bench = await createBench();
    await backUp(bench, files(6));
    await flip(bench, keysOf(bench, 'packs/')[0], 40);
    const dry = await repairRepository(bench, { repository: bench.repository, isDryRun: true });
    expect(dry.salvagedPacks).toHaveLength(1);
    const { snapshots } = await repairRepository(bench, { repository: bench.repository });
    expect(snapshots).toMatchObject([{ lostCount: 1, lost: [{ path: 'f10', message: /^bytes 0 to \d+ of 900 are lost$/ }] }]);
    expect((await checkRepository({ repository: bench.repository, data: 'all' })).problems).toEqual([]);
    const [saved] = await listSnapshots(bench.repository);
    const rest = files(6);
    rest.delete('f10');
    expect(await restoreAll(bench.repository, saved)).toEqual(asRestored(rest));
    expect(saved.repairOf).toMatchObject({ snapshot: snapshots[0].snapshot, lostCount: 1 });
  });

  it('takes nothing for lost that lies in packs that are condemned, and would be spared', async () => {
    const bench = await createBench();
    await backUp(bench, files(6));
    const [spoilt, ...others] = keysOf(bench, 'packs/');
    const sealing = { secrets: bench.repository.secrets, randomBytes: bench.randomBytes };
    const list = { at: new Date(bench.clock()).toISOString(), packs: others.map((key) => key.slice(-32)) };
    await putPart(sealing, bench.repository, 'ab'.repeat(16), 'list', list);
    await flip(bench, spoilt, 40);
    const { snapshots } = await repairRepository(bench, { repository: bench.repository });
    expect(snapshots).toMatchObject([{ lost: [{ path: 'f10' }] }]);
    const rest = files(6);
    rest.delete('f10');
    expect(await restoreOnly(bench)).toEqual(asRestored(rest));
    await runPrune(bench, { repository: bench.repository, graceMs: 0 });
    expect(await restoreOnly(bench)).toEqual(asRestored(rest));
  });

  it.each([
    ['waits', 1e12],
    ['ends it at once', 0],
  ])('loses nothing more beside a pruner that %s, in any order of their calls', { timeout: 120_000 }, async (_, graceMs) => {
    for (let seed = 1; seed <= 40; seed++) {
      const alone = await createDamaged(seed);
      await repairRepository(alone, { repository: alone.repository });
      const bench = await createDamaged(seed);
      const random = seededRandom(seed);
      const interleaver = createInterleaver();
      const over = (process: number) => ({ ...bench.repository, blobs: interleaver.over(bench.blobs, process) });
      const speed = 4 ** Math.floor(random() * 5);
      const results = await interleaver.run(
        [repairRepository(bench, { repository: over(0) }), runPrune(bench, { repository: over(1), graceMs, maxUnusedRatio: 0 })],
        (waiting) => waiting[waiting.length > 1 && random() * (speed + 16) < 16 ? 1 : 0],
      );
      for (const result of results) if (result.status === 'rejected' && !isOpsError(result.reason)) throw result.reason;
      await repairRepository(bench, { repository: bench.repository });
      expect(await restoreOnly(bench), `seed ${seed}`).toEqual(await restoreOnly(alone));
      expect((await checkRepository({ repository: bench.repository, data: 'all' })).problems).toEqual([]);
    }
  });

  it('gives up a snapshot whose manifest is damaged, and says so', async () => {
    const bench = await createBench();
    await backUp(bench, files(2));
    const kept = await backUp(bench, files(3));
    const key = keysOf(bench, 'snapshots/').find((name) => !name.endsWith(kept.id))!;
    await flip(bench, key, 50);
    const { lostSnapshots } = await repairRepository(bench, { repository: bench.repository });
    expect(lostSnapshots).toMatchObject([{ message: /is damaged/ }]);
    expect((await listSnapshots(bench.repository)).map(({ id }) => id)).toEqual([kept.id]);
  });
});
