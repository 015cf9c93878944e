import { describe, expect, it } from 'vitest';
import { verifyReport } from '#backups/drills/drill-report.ts';
import { listReports } from '#backups/drills/report-store.ts';
import { packKey } from '#backups/format/layout.ts';
import { loadIndex } from '#backups/packs/index-objects.ts';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { FAULTS, faultAt, faulty } from '#ports/faulty.ts';
import { createJobBench, damage, FEW, FILE, type JobBench, storeOf } from './job-bench.ts';

const reportsOf = async ({ table }: JobBench) => (await listReports(table, 100)).reports.map(verifyReport);
/** Flips a bit in the chunk that the snapshot's entries begin with. */
async function damageEntries(bench: JobBench): Promise<void> {
  const [snapshot] = await bench.snapshots();
  const { chunks } = await loadIndex(await bench.open());
  const location = chunks.find(snapshot?.entries.refs[0]?.id as Uint8Array);
  if (!location) throw new Error('the index has no chunk of entries');
  await damage(bench.places, packKey(location.packId), location.offset + 5);
}

const scratches = ({ places }: JobBench) => [...places.contents.keys()].filter((name) => name.startsWith('scratch'));

describe('a drill job', () => {
  it('proves a snapshot over as many calls as it takes, and leaves nothing but its signed report', async () => {
    const bench = await createJobBench();
    await bench.runToEnd('snapshot', 'shop');
    let calls = 0;
    await bench.runToEnd('drill', 'weekly', () => ({ turns: 3 + Math.min(1, calls++) }));
    expect(calls).toBeGreaterThan(3);
    expect(await reportsOf(bench)).toMatchObject([{ status: 'SUCCESSFUL', drill: 'weekly', compared: { items: 13 }, cleanedUp: true }]);
    expect(scratches(bench)).toEqual([]);
    expect(await bench.events()).toContain('Drill Completed');
  });

  it.each([
    ['content', async ({ places }: JobBench) => void (await damage(places, 'packs/', 5_000))],
    ['the list of what is there', damageEntries],
  ])('of a snapshot that has lost %s fails, with evidence, and cleans up', async (_, ruin) => {
    const bench = await createJobBench();
    await bench.runToEnd('snapshot', 'shop');
    await ruin(bench);
    expect(await bench.runToEnd('drill', 'weekly')).toMatchObject({ state: 'failed', sentence: expect.stringMatching(/^FAILED: /) });
    const [report] = await reportsOf(bench);
    expect(report).toMatchObject({ status: 'FAILED', cleanedUp: true });
    expect((report?.restored.missingCount ?? 0) + (report?.compared.differenceCount ?? 0)).toBeGreaterThan(0);
    expect(scratches(bench)).toEqual([]);
    expect(await bench.events()).toContain('Drill Failed');
  });

  it('without a snapshot fails, and says so', async () => {
    const bench = await createJobBench();
    expect(await bench.runToEnd('drill', 'weekly')).toMatchObject({ state: 'failed', sentence: 'there is no snapshot to drill' });
    expect(await bench.events()).toEqual(['Drill Failed']);
  });

  it('fails where its objectives are missed', async () => {
    const [drill] = FILE.drills;
    const bench = await createJobBench({ ...FILE, drills: [{ ...drill, recoveryPoint: '1d' }] });
    await bench.runToEnd('snapshot', 'shop');
    bench.clock.nowMs += 2 * DAY_MS;
    expect(await bench.runToEnd('drill', 'weekly')).toMatchObject({
      state: 'failed',
      sentence: expect.stringContaining('1d is the objective'),
    });
  });

  it('keeps one report and tells once, whatever one fault it meets at any call', { timeout: 120_000 }, async () => {
    for (const fault of FAULTS) {
      for (let number = 1; ; number++) {
        const bench = await createJobBench(FILE, FEW);
        await bench.runToEnd('snapshot', 'shop');
        const broken = faulty({ table: bench.table, blobs: storeOf(bench.places) }, faultAt(number, fault));
        await bench.run('drill', 'weekly', { table: broken.ports.table, wrapStore: () => broken.ports.blobs }).catch(() => undefined);
        await broken.settle();
        bench.clock.nowMs += HOUR_MS;
        const { run, last } = (await bench.stateOf('drill', 'weekly')) ?? {};
        if (run || !last) await bench.runToEnd('drill', 'weekly');
        const where = `${fault} at call ${number}`;
        expect(
          (await bench.events()).filter((type) => type.startsWith('Drill')),
          where,
        ).toEqual(['Drill Completed']);
        expect(new Set((await reportsOf(bench)).map(({ id }) => id)).size, where).toBe(1);
        expect(scratches(bench), where).toEqual([]);
        if (broken.calls.length < number) break;
      }
    }
  });
});
