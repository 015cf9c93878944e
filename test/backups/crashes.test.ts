import { describe, expect, it } from 'vitest';
import { checkRepository } from '#backups/check/check-repository.ts';
import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import { type Repository, retryingBlobs } from '#backups/repository/repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { planRestore } from '#backups/restore/plan-restore.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { type TakeBackupInput, takeBackup } from '#backups/take/take-backup.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Blobs } from '#ports/blobs.ts';
import { CrashError, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { createMemorySource } from '#ports/memory/memory-backup-source.ts';
import { createMemoryTarget } from '#ports/memory/memory-backup-target.ts';
import { asRestored, type Bench, backUp, createBench, file, noise, restoreAll, type Things } from './kit.ts';

const SESSION = '0123456789abcdef0123456789abcdef';
const retry = { attempts: 3, baseDelayMs: 0, maxDelayMs: 0, random: () => 0, sleep: async () => undefined };

const original = (): Things =>
  new Map([
    ['a', file(noise(1_500, 1))],
    ['b', {}],
    ['b/c', file('text '.repeat(500))],
    ['gone', file(noise(2_500, 9))],
  ]);
const changed = (): Things =>
  new Map([
    ['a', file(noise(1_500, 2))],
    ['b', {}],
    ['b/c', file('text '.repeat(500))],
    ['d', file(noise(2_500, 3))],
  ]);

/** The repository over a store on which the n-th call goes wrong. */
function over(bench: Bench, number: number, fault: Fault): { repository: Repository; calls: () => number } {
  const broken = faulty({ blobs: bench.blobs as Blobs }, faultAt(number, fault));
  return { repository: { ...bench.repository, blobs: retryingBlobs(broken.ports.blobs, retry) }, calls: () => broken.calls.length };
}

/** Runs the work with each of its calls going wrong in turn; `verify` looks at what it leaves. */
async function atEachCall(
  faults: readonly Fault[],
  prepare: () => Promise<Bench>,
  work: (bench: Bench, repository: Repository) => Promise<unknown>,
  verify: (bench: Bench, isCrash: boolean) => Promise<void>,
): Promise<number> {
  let points = 0;
  for (const fault of faults) {
    for (let number = 1; ; number++) {
      const bench = await prepare();
      const { repository, calls } = over(bench, number, fault);
      const error = await work(bench, repository).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined && !(error instanceof CrashError)) throw error;
      if (calls() < number) break;
      points++;
      await verify(bench, error !== undefined);
    }
  }
  return points;
}

async function withOneSnapshot(): Promise<Bench> {
  const bench = await createBench();
  await backUp(bench, original());
  return bench;
}

const take = (bench: Bench, repository: Repository, input: Partial<TakeBackupInput> = {}) =>
  takeBackup(bench, {
    repository,
    source: createMemorySource(changed()),
    kind: 'incremental',
    host: 'here',
    session: SESSION,
    checkpointEveryBytes: 1_500,
    ...input,
  });

async function expectSound(bench: Bench): Promise<void> {
  expect((await checkRepository({ repository: bench.repository, data: 'all' })).problems).toEqual([]);
}

describe('a backup that is killed at any call', () => {
  it('leaves the repository sound, and goes on from its last checkpoint', async () => {
    const points = await atEachCall(['crash-before', 'crash-after'], withOneSnapshot, take, async (bench) => {
      await expectSound(bench);
      const first = (await listSnapshots(bench.repository)).find(({ id }) => id !== SESSION);
      expect(await restoreAll(bench.repository, first!)).toEqual(asRestored(original()));
      const result = await take(bench, bench.repository);
      if (result.state !== 'done') throw new Error('it did not end');
      expect(await restoreAll(bench.repository, result.snapshot)).toEqual(asRestored(changed()));
      await expectSound(bench);
    });
    expect(points).toBeGreaterThan(30);
  }, 300_000);

  it('is none the worse for calls that fail, or whose answers are lost', async () => {
    await atEachCall(['fail-before', 'fail-after', 'timeout'], withOneSnapshot, take, async (bench, isCrash) => {
      expect(isCrash).toBe(false);
      const snapshot = (await listSnapshots(bench.repository)).find(({ id }) => id === SESSION);
      expect(await restoreAll(bench.repository, snapshot!)).toEqual(asRestored(changed()));
      await expectSound(bench);
    });
  }, 300_000);
});

describe('a prune that is killed at any call', () => {
  const prepare = async () => {
    const bench = await withOneSnapshot();
    const [first] = await listSnapshots(bench.repository);
    await backUp(bench, changed());
    await forgetSnapshots(bench.repository, [first]);
    return bench;
  };
  const prune = (bench: Bench, repository: Repository) => runPrune(bench, { repository, maxUnusedRatio: 0 });
  const storedBytes = ({ blobs }: Bench) =>
    [...blobs.stored].reduce((sum, [key, { body }]) => sum + (key.startsWith('packs/') ? body.length : 0), 0);

  it.each<[string, readonly Fault[]]>([
    ['killed', ['crash-half', 'crash-after']],
    ['met by a failing call', ['fail-half', 'timeout']],
  ])(
    'and one that is %s loses nothing, and the next one ends it',
    async (_, faults) => {
      const clean = await prepare();
      await prune(clean, clean.repository);
      await atEachCall(faults, prepare, prune, async (bench) => {
        await expectSound(bench);
        const [snapshot] = await listSnapshots(bench.repository);
        expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(changed()));
        // What a killed prune has written anew counts as use until the next but one.
        await prune(bench, bench.repository);
        await prune(bench, bench.repository);
        expect(storedBytes(bench)).toBeLessThanOrEqual(storedBytes(clean) * 1.1);
        expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(changed()));
        expect([...bench.blobs.stored.keys()].filter((key) => key.startsWith('condemned/'))).toEqual([]);
      });
    },
    120_000,
  );
});

describe('a restore', () => {
  it('that is killed at any call is ended by the next, which keeps what is there', async () => {
    const target = { current: createMemoryTarget() };
    await atEachCall(
      ['crash-before', 'crash-after'],
      async () => {
        target.current = createMemoryTarget();
        return withOneSnapshot();
      },
      async (bench, repository) => {
        const [snapshot] = await listSnapshots(bench.repository);
        return runRestore({ repository, snapshot, target: target.current });
      },
      async (bench) => {
        const [snapshot] = await listSnapshots(bench.repository);
        const there = target.current.restored.size;
        const result = await runRestore({ repository: bench.repository, snapshot, target: target.current });
        expect(result).toMatchObject({ kept: there, missing: [] });
        expect(target.current.restored).toEqual(asRestored(original()));
      },
    );
  });

  it.each([
    ['short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
    ['corrupt', (bytes: Uint8Array) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 4 : byte))],
  ])('reads again what came %s once', async (_, spoil) => {
    const bench = await withOneSnapshot();
    const [snapshot] = await listSnapshots(bench.repository);
    const seen = new Set<string>();
    const get: Blobs['get'] = async (key, range) => {
      const bytes = await bench.blobs.get(key, range);
      if (!key.startsWith('packs/') || seen.has(key)) return bytes;
      seen.add(key);
      return spoil(bytes);
    };
    const repository = { ...bench.repository, blobs: { ...bench.blobs, get } };
    const { missing } = await runRestore({ repository, snapshot, target: createMemoryTarget() });
    expect(missing).toEqual([]);
  });

  it('lists exactly what is lost, and restores all else', async () => {
    const bench = await createBench();
    const things: Things = new Map(Array.from({ length: 12 }, (_, n) => [`f${n + 10}`, file(noise(900, n))]));
    const snapshot = await backUp(bench, things);
    const target = createMemoryTarget();
    const [pack] = [...bench.blobs.stored].filter(([key, { body }]) => key.startsWith('packs/') && body.length > 2_000).map(([key]) => key);
    await bench.blobs.delete([pack]);
    const { missing, state } = await runRestore({ repository: bench.repository, snapshot, target });
    expect(state).toBe('done');
    expect(missing.length).toBeGreaterThan(0);
    expect(missing[0].message).toMatch(/^bytes \d+ to \d+ of 900 are lost: chunk [0-9a-f]{64} is lost/);
    const lost = new Set(missing.map(({ path }) => path));
    expect(target.restored).toEqual(asRestored(new Map([...things].filter(([path]) => !lost.has(path)))));
  });

  it('goes on past what the target refuses, and tells of it', async () => {
    const bench = await withOneSnapshot();
    const [snapshot] = await listSnapshots(bench.repository);
    const target = createMemoryTarget({ onWrite: (path) => (path === 'a' ? new OpsError('denied', 'not here') : undefined) });
    const { missing, created } = await runRestore({ repository: bench.repository, snapshot, target });
    expect({ missing, created }).toEqual({ missing: [{ path: 'a', message: 'not here' }], created: 3 });
  });

  it('restores what the filter means, with the directories that lead there', async () => {
    const bench = await withOneSnapshot();
    const [snapshot] = await listSnapshots(bench.repository);
    const target = createMemoryTarget();
    await runRestore({ repository: bench.repository, snapshot, target, filter: { include: ['b/c'] } });
    expect([...target.restored.keys()]).toEqual(['b', 'b/c']);
  });

  it('names what it was to include and the snapshot has not', async () => {
    const bench = await withOneSnapshot();
    const [snapshot] = await listSnapshots(bench.repository);
    const input = { repository: bench.repository, snapshot, target: createMemoryTarget(), filter: { include: ['b/c', 'b/cc'] } };
    expect((await planRestore(input)).lostPaths).toEqual(['b/cc']);
    expect((await runRestore(input)).missing).toEqual([{ path: 'b/cc', message: 'the snapshot has no such path' }]);
  });
});

describe('a backup in several runs', () => {
  it('ends as one run would, whenever it is stopped', async () => {
    const whole = await createBench();
    const expected = await backUp(whole, changed(), { kind: 'full' });
    for (let budget = 1; budget < 40; budget += 3) {
      const bench = await createBench();
      let session: string | undefined;
      for (let run = 0; ; run++) {
        let left = budget;
        const result = await take(bench, bench.repository, { kind: 'full', session, remainingMs: () => (left-- > 0 ? 1e9 : 0) });
        if (result.state === 'done') {
          expect(await restoreAll(bench.repository, result.snapshot)).toEqual(asRestored(changed()));
          expect(result.snapshot.counts).toMatchObject({
            items: expected.counts.items,
            bytes: expected.counts.bytes,
            readBytes: expected.counts.readBytes,
          });
          break;
        }
        session = result.session;
        if (run > 100) throw new Error('it makes no headway');
      }
    }
  });

  it('is not continued by two at once', async () => {
    const bench = await createBench();
    const results = await Promise.allSettled([take(bench, bench.repository), take(bench, bench.repository)]);
    const failed = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
    expect(failed.every((reason) => isOpsError(reason, 'conflict'))).toBe(true);
    for (const snapshot of await listSnapshots(bench.repository))
      expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(changed()));
  });

  it('called again after its end gives the same snapshot', async () => {
    const bench = await createBench();
    const first = await take(bench, bench.repository);
    expect(await take(bench, bench.repository)).toEqual(first);
    expect(await listSnapshots(bench.repository)).toHaveLength(1);
  });
});
