import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { createSampleStore } from '#storage/append.ts';
import { ensureWindow } from '#storage/catalog.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { expire } from '#storage/expire.ts';
import { markWork, noteTenant } from '#storage/work-list.ts';
import { addRows, aggregatesOf, readTier, type Samples } from './model.ts';
import { batchOf, memoryStorage, type Row, type TestStorage } from './store.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const HISTORY = Date.parse('2026-10-20T06:00:00Z');

/** Ten samples of a series of its own, in one request. */
function rowsOf(job: string): Row[] {
  return Array.from({ length: 10 }, (_, i) => ({ series: `up,job=${job}`, ts: HISTORY + i * 60_000, value: i }));
}

/** Storage that lets a test in before and after each of expiry's transactions. */
function watchedStorage() {
  const inner = createMemoryTable();
  const hooks: { before?: (() => Promise<void>) | undefined; after?: (() => Promise<void>) | undefined } = {};
  const table: Table = {
    ...inner,
    async transact(writes) {
      const isSegment = writes.some((write) => write.kind === 'put' && write.item.pk.startsWith('seg/'));
      if (!isSegment) await hooks.before?.();
      await inner.transact(writes);
      if (!isSegment) await hooks.after?.();
    },
  };
  return { deps: memoryStorage({ table, nowMs: NOW }), hooks };
}

function append(deps: TestStorage, job: string): Promise<void> {
  return createSampleStore(deps).append({
    tenant: 't',
    id: Buffer.from(job.padStart(16, '-')).toString('hex'),
    batch: batchOf(rowsOf(job)),
  });
}

async function expectAggregatesOf(deps: TestStorage, jobs: readonly string[]): Promise<void> {
  const samples: Samples = new Map();
  for (const job of jobs) addRows(samples, rowsOf(job));
  for (const tier of ['warm', 'cold'] as const) {
    expect(await readTier(deps, tier, ['up'], HISTORY - DAY_MS, HISTORY + 2 * DAY_MS)).toEqual(aggregatesOf(samples, tier));
  }
}

/** A day of history with aggregates, whose raw samples may go. */
async function openExpiringDay() {
  const { deps, hooks } = watchedStorage();
  await append(deps, 'a');
  await compact(deps);
  await downsample(deps);
  deps.setNow(NOW + DAY_MS + HOUR_MS);
  return { deps, hooks };
}

describe('raw samples that come while their day expires', () => {
  it.each([0, 1, 2])('count from their acknowledgement on, written before expiry’s step %i', async (step) => {
    const { deps, hooks } = await openExpiringDay();
    const acknowledged = ['a'];
    let steps = 0;
    hooks.before = async () => {
      if (steps++ !== step) return;
      await append(deps, 'b').then(
        () => acknowledged.push('b'),
        (error) => expect(error).toMatchObject({ kind: step === 1 ? 'unavailable' : 'input' }),
      );
    };
    hooks.after = () => expectAggregatesOf(deps, acknowledged);
    await expire(deps);
    expect(steps).toBeGreaterThan(step);
    expect(acknowledged).toEqual(step === 0 ? ['a', 'b'] : ['a']);
    await expectAggregatesOf(deps, acknowledged);
  });

  it('count where the day was listed for them and held nothing yet', async () => {
    const { deps, hooks } = watchedStorage();
    await ensureWindow(deps.table, { tenant: 't', tier: 'hot', date: '2026-10-20' }, 2);
    await noteTenant(deps.table, 't');
    await markWork(deps.table, 't', '2026-10-20', NOW);
    hooks.before = async () => {
      hooks.before = undefined;
      await append(deps, 'a');
    };
    hooks.after = () => expectAggregatesOf(deps, ['a']);
    await expire(deps);
    await expectAggregatesOf(deps, ['a']);
  });
});
