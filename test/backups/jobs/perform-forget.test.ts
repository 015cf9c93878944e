import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { file, noise } from '#test/backups/kit.ts';
import { createJobBench, FEW, FILE, storeOf } from './job-bench.ts';

/** Three snapshots, of which each has something of its own. */
async function createHistory(written: object = FILE, files = 12) {
  const bench = await createJobBench(written, files);
  for (let i = 0; i < 3; i++) {
    bench.things.set('changing', file(noise(files === FEW ? 500 : 20_000, 100 + i)));
    await bench.runToEnd('snapshot', 'shop');
    bench.clock.nowMs += HOUR_MS;
  }
  return bench;
}

const packsOf = async (bench: Awaited<ReturnType<typeof createHistory>>) => (await storeOf(bench.places).list('packs/')).entries.length;

describe('a forget job', () => {
  it('forgets what the retention lets go, and prunes in the calls after it what nothing needs', async () => {
    const bench = await createHistory();
    const before = [await packsOf(bench), (await bench.snapshots()).length];
    expect(await bench.runToEnd('forget', 'main')).toMatchObject({ sentence: expect.stringMatching(/^2 of 3 snapshots forgotten/) });
    for (let day = 0; day < 4; day++) {
      bench.clock.nowMs += DAY_MS;
      await bench.runToEnd('forget', 'main');
    }
    expect(await bench.snapshots()).toHaveLength(1);
    expect(await packsOf(bench)).toBeLessThan(before[0] as number);
    expect(await bench.runToEnd('check', 'main')).toMatchObject({ state: 'done' });
    expect(await bench.runToEnd('drill', 'weekly')).toMatchObject({ state: 'done' });
  });

  it('keeps everything of a backup without retention, and what is of no backup', async () => {
    const { retention: _, ...plan } = FILE.backups[0] as (typeof FILE.backups)[0];
    const bench = await createHistory({ ...FILE, backups: [plan] });
    await bench.runToEnd('forget', 'main');
    expect(await bench.snapshots()).toHaveLength(3);
    const renamed = await createHistory();
    (renamed.file.backups[0] as { source: string }).source = 's3://another/place';
    await renamed.runToEnd('forget', 'main');
    expect(await renamed.snapshots()).toHaveLength(3);
  });

  it.each([
    ['with another retention', { retention: { last: 2 } }, 2],
    ['without retention', {}, 3],
  ])('keeps what another backup of the same source %s keeps', async (_, other, kept) => {
    const [plan] = FILE.backups as [(typeof FILE.backups)[0]];
    const { retention: __, ...rest } = plan;
    const bench = await createHistory({ ...FILE, backups: [plan, { ...rest, name: 'shop-again', ...other }] });
    await bench.runToEnd('forget', 'main');
    expect(await bench.snapshots()).toHaveLength(kept);
  });

  it('loses nothing that is kept, whatever one fault it meets at any call', { timeout: 120_000 }, async () => {
    for (const fault of FAULTS) {
      for (let number = 1; ; number += 7) {
        const bench = await createHistory(FILE, FEW);
        const broken = faulty({ table: bench.table, blobs: storeOf(bench.places) }, faultAt(number, fault));
        await bench.run('forget', 'main', { table: broken.ports.table, wrapStore: () => broken.ports.blobs }).catch(() => undefined);
        await broken.settle();
        bench.clock.nowMs += 2 * DAY_MS;
        await bench.runToEnd('forget', 'main');
        const where = `${fault} at call ${number}`;
        expect((await bench.snapshots()).length, where).toBe(1);
        expect(await bench.runToEnd('drill', 'weekly'), where).toMatchObject({ state: 'done' });
        if (broken.calls.length < number) break;
      }
    }
  });
});
