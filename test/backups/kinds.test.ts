import { describe, expect, it } from 'vitest';
import { planForgetBySource, runForget } from '#backups/forget/run-forget.ts';
import { createRepository } from '#backups/repository/create-repository.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { planRestore } from '#backups/restore/plan-restore.ts';
import { OpsError } from '#core/errors.ts';
import type { KeyWrap } from '#ports/key-wrap.ts';
import { createMemorySource } from '#ports/memory/memory-backup-source.ts';
import { createMemoryTarget } from '#ports/memory/memory-backup-target.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { asRestored, backUp, createBench, file, noise, restoreAll, type Things, unlock } from './kit.ts';

const things = (): Things =>
  new Map([
    ['a', file(noise(900, 1))],
    ['b', file(noise(900, 2))],
    ['c', file(noise(900, 3))],
  ]);

describe('a full backup', () => {
  it('reads every byte, whatever the stamps say', async () => {
    const bench = await createBench();
    await backUp(bench, things());
    const sameStamp = things().set('a', { ...things().get('a')!, content: noise(900, 7) });
    expect((await backUp(bench, sameStamp)).counts.readBytes).toBe(0);
    const full = await backUp(bench, sameStamp, { kind: 'full' });
    expect(full.counts.readBytes).toBe(2_700);
    expect(full.parent).toBeUndefined();
    expect(await restoreAll(bench.repository, full)).toEqual(asRestored(sameStamp));
  });
});

describe('a differential backup', () => {
  it('compares with the last full one, whatever came between', async () => {
    const bench = await createBench();
    const full = await backUp(bench, things(), { kind: 'full' });
    bench.tick(1_000);
    await backUp(bench, things().set('d', file('d')));
    bench.tick(1_000);
    const { parent, counts } = await backUp(bench, things().set('d', file('d')), { kind: 'differential' });
    expect({ parent, newItems: counts.newItems, unchangedItems: counts.unchangedItems }).toEqual({
      parent: full.id,
      newItems: 1,
      unchangedItems: 3,
    });
  });
});

describe('an incremental backup', () => {
  it('compares with the last of the same source on the same host only', async () => {
    const bench = await createBench();
    const own = await backUp(bench, things());
    bench.tick(1_000);
    await backUp(bench, things(), { host: 'elsewhere' });
    await backUp(bench, things(), { source: createMemorySource(things(), { name: 'another' }) });
    bench.tick(1_000);
    expect((await backUp(bench, things())).parent).toBe(own.id);
  });

  it('reads again what lies in a pack that is lost, so that it is whole', async () => {
    const bench = await createBench();
    await backUp(bench, things());
    for (const key of [...bench.blobs.stored.keys()].filter((name) => name.startsWith('packs/'))) await bench.blobs.delete([key]);
    expect(await restoreAll(bench.repository, await backUp(bench, things()))).toEqual(asRestored(things()));
  });
});

describe('a backup of kind snapshot', () => {
  const moving = (current: Things, changes: (() => void)[]) => createMemorySource(current, { onOpen: () => changes.shift()?.() });

  it('looks again until nothing has moved, and then is of a moment', async () => {
    const bench = await createBench();
    const current = things();
    const source = moving(current, [() => void current.set('b', file(noise(900, 20))), () => void current.set('a', file('changed'))]);
    const snapshot = await backUp(bench, current, { kind: 'snapshot', source });
    expect(snapshot.guarantee.consistency).toBe('moment');
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(current));
  });

  it('says what kept moving where it never stops', async () => {
    const bench = await createBench();
    const current = things();
    let count = 0;
    const source = createMemorySource(current, {
      onList: (path) => (path === 'b' ? void current.set('b', file(`state ${count++}`)) : undefined),
    });
    const { guarantee } = await backUp(bench, current, { kind: 'snapshot', source });
    expect(guarantee).toMatchObject({ consistency: 'fuzzy', paths: ['b'] });
  });

  it('takes the word of a source that has a moment of its own', async () => {
    const bench = await createBench();
    const guarantee = { consistency: 'moment' as const, at: '2026-01-01T00:00:00.000Z', sentence: 'By versions.' };
    const snapshot = await backUp(bench, things(), { kind: 'snapshot', source: createMemorySource(things(), { guarantee }) });
    expect(snapshot.guarantee).toEqual(guarantee);
  });
});

describe('what cannot be read', () => {
  it('is among the faults, and all else is in the snapshot', async () => {
    const bench = await createBench();
    const failing = things().set('b', { ...things().get('b')!, failure: new OpsError('denied', 'no right to read it') });
    const snapshot = await backUp(bench, failing);
    expect(snapshot).toMatchObject({ faults: [{ path: 'b', message: 'no right to read it' }], faultCount: 1 });
    failing.delete('b');
    expect(await restoreAll(bench.repository, snapshot)).toEqual(asRestored(failing));
  });
});

describe('the plan of a restore', () => {
  it('says what would be created, replaced and kept, and what it costs', async () => {
    const bench = await createBench();
    const snapshot = await backUp(bench, things());
    const target = createMemoryTarget();
    await target.write({ path: 'a', kind: 'file', meta: {}, sizeBytes: 900 });
    await target.write({ path: 'b', kind: 'file', meta: {}, sizeBytes: 1 });
    const plan = await planRestore({ repository: bench.repository, snapshot, target });
    expect(plan).toMatchObject({ create: 1, replace: 1, keep: 1, bytes: 1_800, replacedPaths: ['b'], lostPaths: [] });
    expect(plan.requests).toBeGreaterThan(0);
    expect(target.restored.size).toBe(2);
  });
});

describe('a repository whose key is wrapped by a service', () => {
  const wrapWith = (mask: number): KeyWrap => ({
    wrap: async (key) => key.map((byte) => byte ^ mask),
    unwrap: async (key) => key.map((byte) => byte ^ mask),
  });

  it('is opened with the same key, and not with another or a passphrase', async () => {
    const { clock, randomBytes } = await createBench();
    const blobs = createMemoryBlobs();
    const created = await createRepository({ blobs, clock, randomBytes }, { unlock: { keyWrap: wrapWith(7) } });
    const open = (how: Parameters<typeof openRepository>[1]['unlock']) => openRepository({ blobs, randomBytes }, { unlock: how });
    expect((await open({ keyWrap: wrapWith(7) })).id).toBe(created.id);
    await expect(open({ keyWrap: wrapWith(8) })).rejects.toMatchObject({ kind: 'denied' });
    await expect(open(unlock)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('forgetting', () => {
  it('applies a policy to each source by itself', async () => {
    const bench = await createBench();
    const old = await backUp(bench, things());
    bench.tick(1_000);
    const own = await backUp(bench, things());
    const other = await backUp(bench, things(), { host: 'elsewhere' });
    const plan = planForgetBySource(await listSnapshots(bench.repository), { last: 1 }, bench.clock());
    expect(await runForget(bench.repository, plan)).toMatchObject([{ id: old.id }]);
    expect((await listSnapshots(bench.repository)).map(({ id }) => id).sort()).toEqual([own.id, other.id].sort());
  });

  it('never takes the last snapshot of a source', async () => {
    const bench = await createBench();
    const snapshot = await backUp(bench, things());
    const plan = planForgetBySource([snapshot], { tags: [['none']] }, bench.clock());
    await expect(runForget(bench.repository, plan)).rejects.toMatchObject({ kind: 'input', message: /keeps no snapshot/ });
  });
});

describe('opening', () => {
  it('says that there is no repository', async () => {
    const { randomBytes } = await createBench();
    await expect(openRepository({ blobs: createMemoryBlobs(), randomBytes }, { unlock })).rejects.toMatchObject({ kind: 'missing' });
  });

  it('refuses a repository of a newer version', async () => {
    const { blobs, randomBytes } = await createBench();
    const config = Buffer.from(blobs.stored.get('config')!.body);
    config[3] = 2;
    await blobs.delete(['config']);
    await blobs.put('config', config);
    await expect(openRepository({ blobs, randomBytes }, { unlock })).rejects.toMatchObject({
      kind: 'conflict',
      message: /version 2 .* knows 1/,
    });
  });
});
