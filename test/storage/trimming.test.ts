import { describe, expect, it } from 'vitest';
import { DAY_MS } from '#core/time.ts';
import { createSampleStore } from '#storage/append.ts';
import { blockId, type CatalogEntry } from '#storage/catalog-entry.ts';
import { compact } from '#storage/compact.ts';
import { planTrimming } from '#storage/plan-cleaning.ts';
import { findFaults, readRaw } from './model.ts';
import { batchOf, memoryStorage } from './store.ts';

const ids = Array.from({ length: 40 }, (_, i) => `s${i}`);

function block(id: string, more: Partial<CatalogEntry> = {}): CatalogEntry {
  const sizes = { minTs: 0, maxTs: 0, rows: 1, bytes: 1, seriesCount: 1 };
  return { id, kind: 'block', level: Number(id[0]), createdAtMs: 1_000, key: id, ...sizes, ...more };
}

function segment(id: string): CatalogEntry {
  return { ...block('0#0#0'), id, kind: 'segment', level: 0 };
}

describe('the inputs that a block names', () => {
  it.each([
    ['are taken out once none of them is there and the grace is over', [block('1#1#0', { inputs: ids })], 61_000, ['1#1#0']],
    ['stay within the grace', [block('1#1#0', { inputs: ids })], 60_999, []],
    ['stay while one of them is there', [segment('s7'), block('1#1#0', { inputs: ids })], 61_000, []],
    ['stay where they are few', [block('1#1#0', { inputs: ids.slice(0, 31) })], 61_000, []],
    [
      'stay while they tell what became of a block that another was committed with',
      [block(blockId(1, 1, 0), { siblings: 2 }), block(blockId(2, 2, 0), { inputs: [...ids, blockId(1, 1, 1)] })],
      61_000,
      [],
    ],
  ])('%s', (_, entries, nowMs, trimmed) => {
    expect(planTrimming(entries, nowMs, 60_000).map(({ id }) => id)).toEqual(trimmed);
  });

  it('are gone from the table after a cleaning, and every sample is still there', async () => {
    const deps = memoryStorage();
    const start = deps.now();
    const values = new Map<number, number>();
    for (let i = 0; i < 40; i++) {
      values.set(start + i, i);
      const batch = batchOf([{ series: 'up,job=a', ts: start + i, value: i }]);
      await createSampleStore(deps).append({ tenant: 't', id: String(i).padStart(32, '0'), batch });
    }
    await compact(deps);
    const named = () => deps.table.query({ pk: 'blk/metrics/t/hot/2026-11-23', to: 'head' });
    expect(String((await named()).items[0].inputs).split(' ')).toHaveLength(40);
    deps.setNow(start + 61_000);
    await compact(deps);
    expect((await named()).items.map(({ inputs }) => inputs)).toEqual([undefined]);
    const found = await readRaw(deps, ['up'], start - DAY_MS, start + DAY_MS);
    const model = new Map([...found.keys()].map((key) => [key, values]));
    expect(findFaults(found, model, model)).toEqual([]);
    expect(found.size).toBe(1);
  });
});
