import { describe, expect, it } from 'vitest';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createSampleStore } from '#storage/append.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { selectSeries } from '#storage/select.ts';
import { batchOf, memoryStorage, type Row, type TestStorage, wholeMetric } from './store.ts';

const DAY = Date.parse('2026-11-22T00:00:00Z');

function rowsOf(minutes: number): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < minutes * 4; i++) {
    for (const job of ['a', 'b', 'c']) rows.push({ series: `up,job=${job}`, ts: DAY + i * 15_000, value: i });
    rows.push({ series: 'load,job=a', ts: DAY + i * 15_000, value: i / 8 });
  }
  return rows;
}

async function appendInPieces(deps: TestStorage, rows: readonly Row[], size: number): Promise<void> {
  const store = createSampleStore(deps);
  for (let i = 0; i < rows.length; i += size) {
    await store.append({ tenant: 't', id: String(i).padStart(32, '0'), batch: batchOf(rows.slice(i, i + size)) });
  }
}

async function countUp(deps: TestStorage): Promise<number[]> {
  const result = await selectSeries(deps, wholeMetric('t', 'up', DAY, DAY + 86_400_000));
  if (result.tier !== 'hot') throw new Error('expected raw samples');
  return result.series.map(({ samples }) => samples.ts.length);
}

describe('the write path', () => {
  it('shows every sample before compaction, after it, and after the inputs are gone', async () => {
    const deps = memoryStorage();
    const rows = rowsOf(120);
    await appendInPieces(deps, rows, 40);
    expect(await countUp(deps)).toEqual([480, 480, 480]);
    const { compactions } = await compact(deps);
    expect(compactions.map(({ level, outputs }) => [level, outputs])).toEqual([[3, 1]]);
    expect(await countUp(deps)).toEqual([480, 480, 480]);
    deps.setNow(deps.now() + 120_000);
    expect((await compact(deps)).cleaned).toBe(rows.length / 40);
    expect(await countUp(deps)).toEqual([480, 480, 480]);
  });

  it('is compacted with many segments fetched at once, and never all of them', async () => {
    const memory = createMemoryBlobs({ clock: () => 0 });
    let [underWay, most] = [0, 0];
    const get: typeof memory.get = async (...asked) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return memory.get(...asked);
    };
    const deps = memoryStorage({ blobs: { ...memory, get }, inlineBytes: 0, cacheBytes: 0 });
    await appendInPieces(deps, rowsOf(60), 24);
    await compact(deps);
    expect(await countUp(deps)).toEqual([240, 240, 240]);
    expect(most).toBe(16);
  });

  it('stores a repeated request once', async () => {
    const deps = memoryStorage();
    await appendInPieces(deps, rowsOf(10), 40);
    await appendInPieces(deps, rowsOf(10), 40);
    expect(await countUp(deps)).toEqual([40, 40, 40]);
  });

  it('derives both aggregates of a closed day', async () => {
    const deps = memoryStorage();
    await appendInPieces(deps, rowsOf(120), 400);
    await compact(deps);
    const { downsamplings } = await downsample(deps);
    expect(downsamplings.map(({ tier, rows }) => [tier, rows])).toEqual([
      ['warm', 24 * 4],
      ['cold', 2 * 4],
    ]);
  });
});
