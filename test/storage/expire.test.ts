import { describe, expect, it } from 'vitest';
import { isoDate } from '#core/time.ts';
import { createCallCounter } from '#ports/counted.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { windowKey } from '#storage/catalog.ts';
import { headKey } from '#storage/catalog-entry.ts';
import { expire } from '#storage/expire.ts';
import { sweep } from '#storage/sweep.ts';
import { markWork, noteTenant } from '#storage/work-list.ts';
import { memoryStorage } from './store.ts';

const DAY_MS = 86_400_000;

/** A tenant with a window of 1 h rows for each of the last `days` days. */
async function setUp(days: number) {
  const counter = createCallCounter();
  const deps = memoryStorage({ table: counter.countTable(createMemoryTable()) });
  const windows = Array.from({ length: days }, (_, i) => {
    return { tenant: 't', tier: 'cold' as const, date: isoDate(deps.now() - (i + 1) * DAY_MS) };
  });
  for (const window of windows) await deps.table.put({ ...windowKey(window), segmentShards: 0 });
  await noteTenant(deps.table, 't');
  await markWork(deps.table, 't', windows[0].date, deps.now());
  return { deps, windows, reads: () => counter.counts().tableReads };
}

describe('expiry', () => {
  it('asks once for each day that is within its retention, and no more', async () => {
    const { deps, reads } = await setUp(300);
    const before = reads();
    expect(await expire(deps)).toEqual({ expired: [] });
    expect(reads() - before).toBe(300 + 4); // and the tenants, and the windows of three tiers
  });

  it('takes the days that are past it', async () => {
    const { deps } = await setUp(405);
    const { expired } = await expire(deps);
    expect(expired.filter((report) => report.expire).map(({ tier, date }) => `${tier} ${date}`)).toEqual([
      ...[405, 404, 403, 402, 401].map((ago) => `cold ${isoDate(deps.now() - ago * DAY_MS)}`),
    ]);
    expect(await expire(deps)).toEqual({ expired: [] });
  });

  it('is followed by a sweep that looks at many days at once', async () => {
    const { deps } = await setUp(40);
    let [underWay, most] = [0, 0];
    const query: typeof deps.table.query = async (input) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return deps.table.query(input);
    };
    expect(await sweep({ ...deps, table: { ...deps.table, query } })).toEqual({ orphans: 0, orphanBytes: 0, marked: 0 });
    expect(most).toBe(16);
  });

  it('goes on with an expiry that had begun, though the retention has been raised since', async () => {
    const { deps, windows } = await setUp(10);
    await deps.table.put({ ...headKey(windows[4]), version: 3, expired: true });
    const { expired } = await expire(deps);
    expect(expired).toMatchObject([{ tier: 'cold', date: windows[4].date, expire: true }]);
    expect(await deps.table.get(windowKey(windows[4]))).toBeUndefined();
  });
});
