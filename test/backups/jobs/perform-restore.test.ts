import { describe, expect, it } from 'vitest';
import { RestoreRequest } from '#backups/jobs/perform-restore.ts';
import { askRestore } from '#backups/jobs/restore-store.ts';
import { OpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { file, type Things } from '#test/backups/kit.ts';
import { createJobBench, FEW, FILE, type JobBench, SOURCE, storeOf } from './job-bench.ts';

let ids = 0;
async function ask(bench: JobBench, fields: Partial<RestoreRequest> = {}): Promise<string> {
  const request = RestoreRequest.parse({ repository: 'main', snapshot: 'latest', to: 's3://beside/x', ...fields });
  const { id } = await askRestore(
    { table: bench.table, now: () => bench.clock.nowMs, newId: () => `r${++ids}`, tenant: 'default' },
    request,
  );
  return id;
}

const contentOf = (things: ReadonlyMap<string, { readonly content?: Uint8Array | undefined }> | undefined) =>
  [...(things ?? [])].map(([path, { content }]) => [path, content && Buffer.from(content).toString('base64')]);

async function createBackedUp(files = 12): Promise<JobBench> {
  const bench = await createJobBench(FILE, files);
  await bench.runToEnd('snapshot', 'shop');
  return bench;
}

describe('a restore', () => {
  it('puts everything beside, over as many calls as it takes', async () => {
    const bench = await createBackedUp();
    const id = await ask(bench);
    let calls = 0;
    await bench.runToEnd('restore', id, () => ({ turns: 3 + Math.min(1, calls++) }));
    expect(calls).toBeGreaterThan(3);
    expect(contentOf(bench.places.contents.get('s3://beside/x'))).toEqual(contentOf(bench.things));
    expect((await bench.events()).filter((type) => type.startsWith('Restore'))).toEqual(['Restore Completed']);
    const kept = await bench.table.get({ pk: 'backups/jobs', sk: `restore/${id}` });
    expect(Number(kept?.expiresAtS) * 1_000).toBeGreaterThan(bench.clock.nowMs + 89 * DAY_MS);
  });

  it('goes on with the snapshot that it began with, whatever is the latest by then', async () => {
    const bench = await createBackedUp();
    const before: Things = new Map(bench.things);
    const id = await ask(bench);
    expect(await bench.run('restore', id, { turns: 5 })).toMatchObject({ state: 'continued' });
    bench.clock.nowMs += HOUR_MS;
    bench.things.set('a/11', file('changed'));
    await bench.runToEnd('snapshot', 'shop');
    await bench.runToEnd('restore', id);
    expect(contentOf(bench.places.contents.get('s3://beside/x'))).toEqual(contentOf(before));
  });

  it('is what was asked for, whatever one fault it meets at any call: a place that it has begun to fill is its own', {
    timeout: 120_000,
  }, async () => {
    for (const fault of FAULTS) {
      for (let number = 1; ; number++) {
        const bench = await createBackedUp(FEW);
        const id = await ask(bench);
        const broken = faulty({ table: bench.table, blobs: storeOf(bench.places) }, faultAt(number, fault));
        await bench.run('restore', id, { table: broken.ports.table, wrapStore: () => broken.ports.blobs }).catch(() => undefined);
        await broken.settle();
        bench.clock.nowMs += HOUR_MS;
        if ((await bench.stateOf('restore', id))?.run) await bench.runToEnd('restore', id);
        const where = `${fault} at call ${number}`;
        expect((await bench.stateOf('restore', id))?.last, where).toMatchObject({ ok: true });
        expect(contentOf(bench.places.contents.get('s3://beside/x')), where).toEqual(contentOf(bench.things));
        expect(
          (await bench.events()).filter((type) => type.startsWith('Restore')),
          where,
        ).toEqual(['Restore Completed']);
        if (broken.calls.length < number) break;
      }
    }
  });

  it('goes on after a process that died while it wrote', async () => {
    const bench = await createBackedUp();
    const id = await ask(bench);
    const dying = bench.run('restore', id, {
      target: {
        onWrite: (path) => {
          if (path === 'a/05') throw new Error('killed');
          return undefined;
        },
      },
    });
    await expect(dying).rejects.toThrow('killed');
    bench.clock.nowMs += HOUR_MS;
    expect(await bench.runToEnd('restore', id)).toMatchObject({ state: 'done' });
    expect(contentOf(bench.places.contents.get('s3://beside/x'))).toEqual(contentOf(bench.things));
  });

  it('lists what is missing of all its calls', async () => {
    const bench = await createBackedUp();
    const id = await ask(bench);
    const onWrite = (path: string) => (/0[135]$/.test(path) ? new OpsError('denied', `${path} may not be written`) : undefined);
    expect(await bench.runToEnd('restore', id, () => ({ turns: 4, target: { onWrite } }))).toMatchObject({ state: 'failed' });
    const { last } = (await bench.stateOf('restore', id)) ?? {};
    expect(last?.result).toMatchObject({ missingCount: 3, missing: ['a/01', 'a/03', 'a/05'].map((path) => ({ path })) });
    expect((await bench.events()).at(-1)).toBe('Restore Failed');
  });

  it('in place first takes a snapshot of what is there, also over several calls, and one alone', async () => {
    const bench = await createBackedUp();
    const before: Things = new Map(bench.things);
    for (let i = 0; i < 12; i++) bench.things.set(`a/${String(i).padStart(2, '0')}`, file(`ruined ${i}`));
    bench.things.set('new', file('not in the snapshot'));
    const ruined = contentOf(bench.things);
    const id = await ask(bench, { to: SOURCE, yes: true });
    bench.clock.nowMs += HOUR_MS;
    const states: string[] = [];
    await bench.runToEnd('restore', id, () => {
      states.push(contentOf(bench.things).join() === ruined.join() ? 'as before' : 'written to');
      return { turns: 5 };
    });
    expect(states.filter((state) => state === 'as before').length).toBeGreaterThan(1);
    for (const [path, thing] of before)
      expect(contentOf(new Map([[path, bench.things.get(path) ?? {}]]))).toEqual(contentOf(new Map([[path, thing]])));
    const saved = (await bench.snapshots()).filter(({ tags }) => tags.includes('before-restore'));
    expect(saved).toHaveLength(1);
    const back = await ask(bench, { snapshot: saved[0]?.id, to: 's3://beside/saved' } as Partial<RestoreRequest>);
    await bench.runToEnd('restore', back);
    expect(contentOf(bench.places.contents.get('s3://beside/saved'))).toEqual(ruined);
  });

  it('in place leaves the good snapshot the latest, and retention lets the ruined state take no place of it', async () => {
    const bench = await createBackedUp();
    const before = contentOf(bench.things);
    const [good] = await bench.snapshots();
    bench.things.set('a/03', file('ruined'));
    for (let times = 0; times < 2; times++) {
      bench.clock.nowMs += HOUR_MS;
      await bench.runToEnd('restore', await ask(bench, { to: SOURCE, yes: true }));
      expect(contentOf(bench.things)).toEqual(before);
    }
    await bench.runToEnd('forget', 'main');
    expect((await bench.snapshots()).map(({ id }) => id)).toContain(good?.id);
  });

  it('in place writes over nothing that could not be saved first', async () => {
    const bench = await createBackedUp();
    bench.things.set('a/05', { ...file('changed since'), failure: new OpsError('denied', 'it cannot be read') });
    bench.things.set('a/06', file('ruined'));
    const ruined = contentOf(bench.things);
    expect(await bench.runToEnd('restore', await ask(bench, { to: SOURCE, yes: true }))).toMatchObject({
      state: 'failed',
      sentence: 'nothing is restored in place: 1 things could not be saved first, such as a/05: it cannot be read',
    });
    expect(contentOf(bench.things)).toEqual(ruined);
    bench.clock.nowMs += HOUR_MS;
    const id = await ask(bench, { to: SOURCE, yes: true, exclude: ['a/05'] });
    expect(await bench.runToEnd('restore', id)).toMatchObject({ state: 'done' });
  });

  it('does not touch a place that is not empty, unless it may', async () => {
    const bench = await createBackedUp();
    const before = contentOf(bench.things);
    expect(await bench.runToEnd('restore', await ask(bench, { to: SOURCE }))).toMatchObject({
      state: 'failed',
      sentence: `${SOURCE} is not empty`,
    });
    expect(contentOf(bench.things)).toEqual(before);
  });

  it('that is to be tried only says what it would do', async () => {
    const bench = await createBackedUp();
    bench.things.delete('a/03');
    const id = await ask(bench, { to: SOURCE, dryRun: true });
    await bench.runToEnd('restore', id);
    expect((await bench.stateOf('restore', id))?.last?.result).toMatchObject({ plan: { create: 1, lostPaths: [] } });
    expect(bench.things.has('a/03')).toBe(false);
  });
});
