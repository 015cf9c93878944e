import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS } from '#core/time.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { createSampleStore } from '#storage/append.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { addRows, aggregatesOf, findFaults, findLooseEnds, findMiscounts, readRaw, readTier, type Samples } from './model.ts';
import { seededRandom } from './seeded-random.ts';
import { batchOf, memoryStorage, type Row } from './store.ts';

const DAY = Date.parse('2026-11-20T00:00:00Z');
const START = DAY + 21 * HOUR_MS;
const END = DAY + DAY_MS + 4 * HOUR_MS;
const METRICS = ['up', 'load'];
/** How far the clock goes at one pause of anybody at most. */
const TICK_MS = 4_000;

function createWorld(seed: number) {
  const random = seededRandom(seed);
  const clock = { nowMs: START };
  const pause = async () => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await setImmediate();
    clock.nowMs += Math.floor(random() * TICK_MS);
  };
  const options = { clock: () => clock.nowMs, pause };
  const [blobs, table] = [createMemoryBlobs(options), createMemoryTable(options)];
  let processes = 0;
  const start = () => {
    const prefix = `p${processes++}x`;
    let ids = 0;
    const deps = memoryStorage({ blobs, table: withoutLeases(table), inlineBytes: 350 });
    return { ...deps, now: () => clock.nowMs, newId: () => `${prefix}${ids++}`, graceMs: seed % 2 ? HOUR_MS / 4 : 5_000, pause };
  };
  return { random, clock, blobs, table, start, acknowledged: new Map() as Samples, attempted: new Map() as Samples };
}
type World = ReturnType<typeof createWorld>;

/** Leases only spare work: here they hold nobody back. */
function withoutLeases(table: Table): Table {
  return { ...table, put: async (item, condition) => (item.pk === 'lease' ? undefined : table.put(item, condition)) };
}

/** Sends what is new, some of it late by up to six hours, and at times the same again. */
async function write(world: World, job: string): Promise<void> {
  const { random, clock, acknowledged, attempted } = world;
  const store = createSampleStore(world.start());
  for (let n = 0; clock.nowMs < END; n++) {
    const lateMs = random() < 0.3 ? Math.floor(random() * 6 * HOUR_MS) : 0;
    const rows: Row[] = Array.from({ length: 1 + Math.floor(random() * 12) }, (_, i) => {
      const ts = clock.nowMs - lateMs - 1_000 * i;
      return { series: `${METRICS[i % 2]},job=${job}`, ts, value: ts % 1_009 };
    });
    const append = () =>
      store.append({ tenant: 't', id: `${n}`.padStart(8, '0') + job.charCodeAt(0).toString(16).padStart(24, '0'), batch: batchOf(rows) });
    addRows(attempted, rows);
    await append();
    addRows(acknowledged, rows);
    if (random() < 0.1) await append();
    for (let turns = random() * 20; turns > 0; turns--) await setImmediate();
  }
}

async function repeat(world: World, job: () => Promise<unknown>): Promise<void> {
  while (world.clock.nowMs < END) {
    try {
      await job();
    } catch (error) {
      // Overtaken by the other one in a way that the next run sorts out.
      if (!isOpsError(error, 'unavailable') && !isOpsError(error, 'missing')) throw error;
    }
    for (let turns = world.random() * 60; turns > 0; turns--) await setImmediate();
  }
}

async function read(world: World): Promise<{ queries: number; faults: string[] }> {
  const deps = world.start();
  const faults: string[] = [];
  let queries = 0;
  for (; world.clock.nowMs < END && faults.length === 0; queries++) {
    const before = structuredClone(world.acknowledged);
    if (world.random() < 0.5) {
      const found = await readRaw(deps, METRICS, DAY, END);
      faults.push(...findFaults(found, before, world.attempted));
    } else {
      const tier = world.random() < 0.5 ? 'warm' : 'cold';
      const found = await readTier(deps, tier, METRICS, DAY - 2 * DAY_MS, END);
      faults.push(...findMiscounts(found, aggregatesOf(before, tier), aggregatesOf(world.attempted, tier)));
    }
  }
  return { queries, faults };
}

describe('writers, two compactors, a downsampler and readers at once', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('see every acknowledged sample once in every answer, seed %i', async (seed) => {
    const world = createWorld(seed);
    const [compactor, other, downsampler] = [world.start(), world.start(), world.start()];
    const readers = [read(world), read(world)];
    const jobs = [
      repeat(world, () => compact(compactor)),
      repeat(world, () => compact(other)),
      repeat(world, () => downsample(downsampler)),
    ];
    await Promise.all([...['a', 'b', 'c'].map((job) => write(world, job)), ...jobs]);
    for (const { queries, faults } of await Promise.all(readers)) {
      expect(faults.slice(0, 5)).toEqual([]);
      expect(queries).toBeGreaterThan(3);
    }
    const last = world.start();
    for (let run = 0; run < 3; run++) {
      world.clock.nowMs += 2 * HOUR_MS;
      await compact(last);
      await downsample(last);
    }
    expect(findFaults(await readRaw(last, METRICS, DAY, END), world.acknowledged, world.acknowledged)).toEqual([]);
    for (const tier of ['warm', 'cold'] as const) {
      expect(await readTier(last, tier, METRICS, DAY - 2 * DAY_MS, END)).toEqual(aggregatesOf(world.acknowledged, tier));
    }
    expect(findLooseEnds(world.table.items(), world.blobs.stored.keys()).dangling).toEqual([]);
  });
});
