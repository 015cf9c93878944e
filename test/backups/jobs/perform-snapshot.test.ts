import { describe, expect, it } from 'vitest';
import { openRepository } from '#backups/repository/open-repository.ts';
import { HOUR_MS } from '#core/time.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { asRestored, restoreAll, unlock } from '#test/backups/kit.ts';
import { createJobBench, FEW, FILE, type JobBench, SOURCE, storeOf } from './job-bench.ts';

async function restored(bench: JobBench) {
  const repository = await openRepository({ blobs: storeOf(bench.places), randomBytes: (size) => Buffer.alloc(size) }, { unlock });
  const snapshots = await bench.snapshots();
  return restoreAll(repository, snapshots[snapshots.length - 1] as (typeof snapshots)[0]);
}

describe('a backup job', () => {
  it('takes a snapshot of what is planned, and tells of it', async () => {
    const bench = await createJobBench();
    expect(await bench.run('snapshot', 'shop')).toMatchObject({ state: 'done' });
    expect(await bench.events()).toEqual(['Snapshot Completed']);
    expect(await bench.snapshots()).toMatchObject([{ host: 'quarterdeck', kind: 'incremental', source: { name: SOURCE } }]);
    expect(await restored(bench)).toEqual(asRestored(bench.things));
  });

  it('that is larger than one call goes on in the next, with the same session, and reads nothing twice', async () => {
    const bench = await createJobBench();
    const read: string[] = [];
    const onOpen = (path: string, offset: number) => void read.push(`${path}@${offset}`);
    let calls = 0;
    const report = await bench.runToEnd('snapshot', 'shop', () => {
      calls++;
      return { turns: 4, source: { onOpen } };
    });
    expect(report).toMatchObject({ state: 'done' });
    expect(calls).toBeGreaterThan(3);
    expect(new Set(read).size).toBe(read.length);
    expect(await bench.snapshots()).toHaveLength(1);
    const events = await bench.events();
    expect([events.filter((type) => type === 'Snapshot Completed').length, new Set(events)]).toEqual([
      1,
      new Set(['Backup Progressed', 'Snapshot Completed']),
    ]);
    expect(await restored(bench)).toEqual(asRestored(bench.things));
  });

  it('gives one snapshot and one event, whatever one fault it meets at any call, and however often it is repeated', {
    timeout: 120_000,
  }, async () => {
    for (const fault of FAULTS) {
      for (let number = 1; ; number++) {
        const bench = await createJobBench(FILE, FEW);
        const broken = faulty({ table: bench.table, blobs: storeOf(bench.places) }, faultAt(number, fault));
        const first = bench.run('snapshot', 'shop', { table: broken.ports.table, wrapStore: () => broken.ports.blobs });
        await first.catch(() => undefined);
        await broken.settle();
        const isOver = broken.calls.length < number;
        bench.clock.nowMs += HOUR_MS; // the lease of the one that died is over
        const { run, last } = (await bench.stateOf('snapshot', 'shop')) ?? {};
        if (run || !last) await bench.runToEnd('snapshot', 'shop');
        const where = `${fault} at call ${number}`;
        expect(await bench.events(), where).toEqual(['Snapshot Completed']);
        expect(await bench.snapshots(), where).toHaveLength(1);
        expect(await restored(bench), where).toEqual(asRestored(bench.things));
        if (isOver) break;
      }
    }
  });

  it('is taken once by two processes at once, also where the lease of the first is over', async () => {
    const bench = await createJobBench();
    const both = await Promise.all([bench.run('snapshot', 'shop'), bench.run('snapshot', 'shop')]);
    expect(both.map((report) => report?.state).sort()).toEqual(['busy', 'done']);
    expect(await bench.snapshots()).toHaveLength(1);

    const slow = await createJobBench();
    const released = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let isFirst = true;
    const first = slow.run('snapshot', 'shop', {
      wrapStore: (blobs) => ({
        ...blobs,
        async put(...args) {
          if (isFirst && args[0].startsWith('packs/')) {
            isFirst = false;
            reached.resolve();
            await released.promise;
          }
          return blobs.put(...args);
        },
      }),
    });
    await reached.promise;
    slow.clock.nowMs += HOUR_MS;
    expect(await slow.run('snapshot', 'shop')).toMatchObject({ state: 'done' });
    released.resolve();
    expect(await first).toMatchObject({ state: 'busy' });
    expect(await slow.events()).toEqual(['Snapshot Completed']);
    expect(await slow.snapshots()).toHaveLength(1);
    expect(await restored(slow)).toEqual(asRestored(slow.things));
  });

  it('is full where the last full one is too old', async () => {
    const [plan] = FILE.backups;
    const bench = await createJobBench({ ...FILE, backups: [{ ...plan, fullEvery: '2h' }] });
    for (let i = 0; i < 4; i++) {
      await bench.runToEnd('snapshot', 'shop');
      bench.clock.nowMs += HOUR_MS;
    }
    expect((await bench.snapshots()).map(({ kind }) => kind)).toEqual(['full', 'incremental', 'full', 'incremental']);
  });

  it('of a source that is gone fails, and says so', async () => {
    const bench = await createJobBench();
    bench.places.contents.delete(SOURCE);
    expect(await bench.run('snapshot', 'shop')).toMatchObject({ state: 'failed', sentence: `${SOURCE} is not there` });
    expect(await bench.events()).toEqual(['Backup Failed']);
  });

  it('asks for a moment where that is its kind, and keeps repositories out of what it reads', async () => {
    const [plan] = FILE.backups;
    const bench = await createJobBench({ ...FILE, backups: [{ ...plan, kind: 'snapshot', exclude: ['*.tmp'] }] });
    const asked: unknown[] = [];
    await bench.run('snapshot', 'shop', { onSource: (_, options) => asked.push(options) });
    expect(asked).toEqual([{ exclude: ['*.tmp'], moment: true, apartFrom: ['s3://acme-backups/main'] }]);
  });
});
