import { describe, expect, it } from 'vitest';
import { createRepository } from '#backups/repository/create-repository.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { asRestored, backUp, createBench, file, noise, restoreAll, type Things, unlock } from './kit.ts';

const things = (): Things =>
  new Map([
    ['a', {}],
    ['a/empty', file('')],
    ['a/large', file(noise(20_000, 1), { mode: 0o644 })],
    ['a/text', file('one line\n'.repeat(1_000), { mode: 0o600, names: ['x', 'y'] })],
    ['b', { kind: 'symlink', meta: { to: 'a/text' } }],
  ]);

describe('a backup', () => {
  it('restores to what was backed up', async () => {
    const bench = await createBench();
    const snapshot = await backUp(bench, things());
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(things()));
    expect(snapshot.counts).toMatchObject({ items: 5, bytes: 29_000, readBytes: 29_000, newItems: 5 });
  });

  it('restores by whoever opens the repository with the passphrase', async () => {
    const bench = await createBench();
    await backUp(bench, things());
    const repository = await openRepository({ blobs: bench.blobs, randomBytes: bench.randomBytes }, { unlock });
    const [snapshot] = await listSnapshots(repository);
    expect(await restoreAll(repository, snapshot)).toEqual(asRestored(things()));
  });

  it('reads and stores only what changed, and tells so', async () => {
    const bench = await createBench();
    await backUp(bench, things());
    bench.tick(1_000);
    const changed = things().set('a/text', file('another line\n'.repeat(1_000), { mode: 0o600 }));
    const snapshot = await backUp(bench, changed);
    expect(snapshot.counts).toMatchObject({ readBytes: 13_000, newItems: 0, changedItems: 1, unchangedItems: 4 });
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(changed));
  });

  it('stores nothing twice, whatever its path', async () => {
    const bench = await createBench();
    const before = await backUp(bench, things());
    const moved: Things = new Map([['elsewhere', things().get('a/large')!]]);
    const { counts } = await backUp(bench, moved);
    expect(counts.readBytes).toBe(20_000);
    expect(counts.newBytes).toBeLessThan(before.counts.newBytes / 5);
  });
});

describe('a repository', () => {
  it('is not created where there is one', async () => {
    const { blobs, randomBytes, clock } = await createBench();
    await expect(createRepository({ blobs, randomBytes, clock }, { unlock, scryptLogN: 1 })).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('says that the passphrase is wrong', async () => {
    const { blobs, randomBytes } = await createBench();
    const opening = openRepository({ blobs, randomBytes }, { unlock: { passphrase: 'wrong' } });
    await expect(opening).rejects.toMatchObject({ kind: 'denied', message: "the passphrase opens none of the repository's keys" });
  });
});
