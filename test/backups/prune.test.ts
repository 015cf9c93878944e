import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { planPrune } from '#backups/prune/plan-prune.ts';
import { type PruneInput, runPrune } from '#backups/prune/run-prune.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { isOpsError } from '#core/errors.ts';
import { createMemorySource } from '#ports/memory/memory-backup-source.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';
import { createInterleaver } from './interleave.ts';
import { asRestored, type Bench, backUp, createBench, file, noise, restoreAll, type Things } from './kit.ts';

const prune = (bench: Bench, input: Partial<PruneInput> = {}) => runPrune(bench, { repository: bench.repository, ...input });
const packs = ({ blobs }: Bench) => [...blobs.stored.keys()].filter((key) => key.startsWith('packs/'));

describe('a prune', () => {
  it('frees what was forgotten, and leaves what is kept as it was', async () => {
    const bench = await createBench();
    const old = await backUp(
      bench,
      new Map([
        ['gone', file(noise(30_000, 1))],
        ['stays', file(noise(5_000, 2))],
      ]),
    );
    const kept: Things = new Map([
      ['new', file(noise(3_000, 3))],
      ['stays', file(noise(5_000, 2))],
    ]);
    const snapshot = await backUp(bench, kept);
    await forgetSnapshots(bench.repository, [old]);
    const result = await prune(bench, { maxUnusedRatio: 0 });
    expect(result).toMatchObject({ waiting: [], sparedPacks: 0 });
    expect(result.deletedPacks).toBeGreaterThan(0);
    const stored = packs(bench).reduce((sum, key) => sum + (bench.blobs.stored.get(key)?.body.length ?? 0), 0);
    expect(stored).toBeLessThan(12_000);
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(kept));
    expect([...bench.blobs.stored.keys()].filter((key) => /^(condemned|sessions|probes)/.test(key))).toEqual([]);
  });

  it('does nothing where there is nothing to free', async () => {
    const bench = await createBench();
    await backUp(bench, new Map([['a', file('a')]]));
    const before = [...bench.blobs.stored.keys()];
    expect(await prune(bench)).toMatchObject({ deletedPacks: 0, waiting: [] });
    expect([...bench.blobs.stored.keys()]).toEqual(before);
  });

  it('waits for a backup that was open when it condemned, and spares what that one came to use', async () => {
    const bench = await createBench();
    const things: Things = new Map([['a', file(noise(9_000, 1))]]);
    const old = await backUp(bench, things);
    let asked = 0;
    const paused = await takeBackup(bench, {
      repository: bench.repository,
      source: createMemorySource(things),
      kind: 'full',
      host: 'here',
      remainingMs: () => (asked++ < 3 ? 1e6 : 0),
    });
    if (paused.state !== 'continued') throw new Error('it should have stopped');
    await forgetSnapshots(bench.repository, [old]);
    expect(await prune(bench)).toMatchObject({ deletedPacks: 0, waiting: [{ session: paused.session }] });
    const snapshot = await backUp(bench, things, { kind: 'full', session: paused.session });
    expect((await prune(bench)).sparedPacks).toBeGreaterThan(0);
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(things));
  });

  it('ends a backup that gives no sign of life, which then cannot commit', async () => {
    const bench = await createBench();
    const things: Things = new Map([['a', file(noise(9_000, 1))]]);
    const input = { repository: bench.repository, source: createMemorySource(things), kind: 'full' as const, host: 'here' };
    const paused = await takeBackup(bench, { ...input, remainingMs: () => 0 });
    if (paused.state !== 'continued') throw new Error('it should have stopped');
    bench.tick(2 * 86_400_000);
    expect((await prune(bench)).deletedPacks).toBeGreaterThan(0);
    await expect(takeBackup(bench, { ...input, session: paused.session })).rejects.toMatchObject({
      kind: 'conflict',
      message: /sign of life/,
    });
    expect(await listSnapshots(bench.repository)).toEqual([]);
  });

  it('deletes nothing while a snapshot is damaged', async () => {
    const bench = await createBench();
    const old = await backUp(bench, new Map([['a', file(noise(9_000, 1))]]));
    const snapshot = await backUp(bench, new Map([['b', file(noise(9_000, 2))]]));
    await forgetSnapshots(bench.repository, [old]);
    const key = `snapshots/${snapshot.id}`;
    const body = Buffer.from(bench.blobs.stored.get(key)!.body);
    body[40] ^= 1;
    await bench.blobs.delete([key]);
    await bench.blobs.put(key, body);
    const before = packs(bench);
    await expect(prune(bench)).rejects.toMatchObject({ kind: 'input' });
    expect(packs(bench)).toEqual(before);
  });
});

describe('two backups, two pruners and a forget, in any order of their calls,', () => {
  it.each([
    ['leave every snapshot as it was taken', 1e12],
    ['leave every snapshot as it was taken, even where any backup is ended at once', 0],
  ])(
    '%s',
    async (_, graceMs) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const bench = await createBench(seed);
          const random = seededRandom(seed);
          const files = (from: number, to: number): Things =>
            new Map(Array.from({ length: to - from }, (_unused, n) => [`f${from + n}`, file(noise(700, from + n))]));
          const first = await backUp(bench, files(0, 5));
          await backUp(bench, files(3, 7));
          const interleaver = createInterleaver();
          const over = (process: number) => ({ ...bench.repository, blobs: interleaver.over(bench.blobs, process) });
          const taken = new Map<string, Things>();
          const take = async (process: number, things: Things) => {
            const repository = over(process);
            // It begins somewhere in the course of the others: these calls mean nothing.
            for (let wait = random() * 40; wait > 0; wait--) await repository.blobs.list('nothing');
            const snapshot = await backUp({ ...bench, repository }, things, { kind: random() < 0.5 ? 'full' : 'incremental' });
            taken.set(snapshot.id, things);
          };
          // Some hurry and some dawdle: even chances would have all end at about the same time.
          const speeds = Array.from({ length: 5 }, () => 4 ** Math.floor(random() * 5));
          const processes = [
            take(0, files(2, 6)),
            take(1, files(0, 9)),
            runPrune(bench, { repository: over(2), graceMs, maxUnusedRatio: 0 }),
            runPrune(bench, { repository: over(3), graceMs, maxUnusedRatio: 0 }),
            forgetSnapshots(random() < 0.5 ? bench.repository : over(4), [first]),
          ];
          const results = await interleaver.run(processes, (waiting) => pick(waiting, speeds, random));
          for (const result of results) {
            if (result.status === 'rejected' && !isOpsError(result.reason)) throw result.reason;
            // With all the time there is, nothing may fail but a prune that met another's work.
            if (result.status === 'rejected' && graceMs > 0 && results.indexOf(result) < 2) throw result.reason;
          }
          await runPrune(bench, { repository: bench.repository, graceMs, maxUnusedRatio: 0 });
          for (const snapshot of await listSnapshots(bench.repository)) {
            const things = taken.get(snapshot.id) ?? files(3, 7);
            expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(things));
          }
          for (const id of taken.keys()) expect((await listSnapshots(bench.repository)).map((snapshot) => snapshot.id)).toContain(id);
        }),
        { numRuns: 30, endOnFailure: true },
      );
    },
    120_000,
  );
});

/** One of the waiting, by their speeds. */
function pick(waiting: readonly number[], speeds: readonly number[], random: () => number): number {
  let left = random() * waiting.reduce((sum, process) => sum + speeds[process], 0);
  for (const process of waiting) {
    left -= speeds[process];
    if (left <= 0) return process;
  }
  return waiting[0];
}

describe('the plan of a prune', () => {
  const pack = (packId: string, usedBytes: number, retainUntilMs?: number) => ({ packId, sizeBytes: 100, usedBytes, retainUntilMs });

  it('rewrites the least used packs until little enough is wasted', () => {
    const plan = planPrune([pack('a', 100), pack('b', 20), pack('c', 95), pack('d', 60), pack('e', 0)], { maxUnusedRatio: 0.05, nowMs: 0 });
    expect(plan.condemn.map(({ packId }) => packId)).toEqual(['e']);
    expect(plan.repack.map(({ packId }) => packId)).toEqual(['b', 'd']);
    expect(plan).toMatchObject({ totalBytes: 500, unusedBytes: 225, freedBytes: 220 });
  });

  it('leaves locked packs until their time, and locks on what is in use', () => {
    const plan = planPrune([pack('a', 100, 50), pack('b', 0, 500), pack('c', 10, 900)], { maxUnusedRatio: 0, nowMs: 100, lockForMs: 300 });
    expect(plan.condemn).toEqual([]);
    expect(plan.deferred.map(({ packId }) => packId)).toEqual(['b']);
    expect(plan.extend).toEqual([{ packId: 'a', untilMs: 400 }]);
    expect(plan.repack).toEqual([]);
  });
});
