import { describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty, type PortCall } from '#ports/faulty.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { createSampleStore } from '#storage/append.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { expire } from '#storage/expire.ts';
import { sweep } from '#storage/sweep.ts';
import { isDistinct, throttlePlans } from './distinct-faults.ts';
import { addRows, aggregatesOf, findLooseEnds, readTier, type Samples } from './model.ts';
import { batchOf, memoryStorage, type Row } from './store.ts';

const DAY = Date.parse('2026-11-20T00:00:00Z');
const NOON = DAY + 12 * HOUR_MS;
const RETENTION = { hot: 3 * DAY_MS, warm: 5 * DAY_MS, cold: 9 * DAY_MS };

type Process = ReturnType<ReturnType<typeof createWorld>['start']>;

/** A step, and which tiers hold all of the day's samples after it. */
interface Step {
  readonly atMs: number;
  readonly run: (process: Process) => Promise<unknown>;
  readonly holds: readonly ('warm' | 'cold')[];
}

function rowsFrom(startMs: number): Row[] {
  return Array.from({ length: 60 }, (_, i) => ({ series: `up,job=${'ab'[i % 2]}`, ts: startMs + i * 20_000, value: (7 * i) % 50 }));
}

const first = rowsFrom(NOON);
const again = rowsFrom(NOON + HOUR_MS);
const all = ['warm', 'cold'] as const;

/** A day's whole life: each tier goes in its turn. When nothing is left the day takes samples again. */
const life: readonly Step[] = [
  { atMs: NOON + HOUR_MS, run: ({ append }) => append('1', first), holds: all },
  { atMs: DAY + DAY_MS + HOUR_MS, run: ({ deps }) => compact(deps), holds: all },
  { atMs: DAY + DAY_MS + 2 * HOUR_MS, run: ({ deps }) => downsample(deps), holds: all },
  { atMs: DAY + 4.5 * DAY_MS, run: ({ deps }) => expire(deps), holds: all },
  { atMs: DAY + 7 * DAY_MS, run: ({ deps }) => expire(deps), holds: ['cold'] },
  { atMs: DAY + 11 * DAY_MS, run: ({ deps }) => expire(deps), holds: [] },
];

function createWorld() {
  const clock = { nowMs: NOON };
  const blobs = createMemoryBlobs({ clock: () => clock.nowMs });
  const table = createMemoryTable();
  let processes = 0;
  const start = (ports: { blobs: Blobs; table: Table }) => {
    const prefix = `p${processes++}x`;
    let ids = 0;
    const deps = {
      ...memoryStorage({ ...ports, inlineBytes: 350 }),
      now: () => clock.nowMs,
      newId: () => `${prefix}${ids++}`,
      settings: () => ({ retentionMs: RETENTION, segmentShards: 2 }),
    };
    const store = createSampleStore(deps);
    return { deps, append: (id: string, rows: readonly Row[]) => store.append({ tenant: 't', id: id.repeat(32), batch: batchOf(rows) }) };
  };
  return { clock, blobs, table, start };
}

/** Lives through it with one fault; what fails is done again 16 minutes later. Gives the calls of the expiries. */
async function live(plan: (call: PortCall) => Fault | undefined): Promise<readonly PortCall[]> {
  let before = 0;
  const world = createWorld();
  const broken = faulty({ blobs: world.blobs, table: world.table }, plan);
  const reader = world.start(world);
  let process = world.start(broken.ports);
  let isStalled = false;
  for (const { atMs, run, holds } of life) {
    world.clock.nowMs = Math.max(world.clock.nowMs, atMs);
    if (atMs < DAY + 2 * DAY_MS) before = broken.calls.length;
    const attempt = run(process).then(() => 'done' as const, mayFail);
    const outcome = isStalled ? await attempt : await Promise.race([attempt, broken.stalled.then(() => 'stalled' as const)]);
    if (outcome !== 'done') {
      if (broken.crashed()) process = world.start(world);
      world.clock.nowMs += 16 * MINUTE_MS;
      await broken.settle();
      await run(outcome === 'stalled' ? world.start(world) : process);
    }
    if (outcome === 'stalled') {
      isStalled = true;
      broken.release();
      await attempt;
    }
    for (const tier of holds) expect(await readTier(reader.deps, tier, ['up'], DAY, DAY + 3 * DAY_MS)).toEqual(aggregates(first, tier));
  }
  await broken.settle();
  await expectNothingLeft(world, world.start(world));
  return broken.calls.slice(before);
}

function aggregates(rows: readonly Row[], tier: 'warm' | 'cold') {
  const samples: Samples = new Map();
  addRows(samples, rows);
  return aggregatesOf(samples, tier);
}

/** A failure that asks to be tried again, or a crash; anything else is thrown. */
function mayFail(error: unknown): 'failed' {
  if (!(error instanceof CrashError) && !isOpsError(error, 'unavailable')) throw error;
  return 'failed';
}

/** Nothing of the day is there but heads, and what comes for it now counts, alone. */
async function expectNothingLeft(world: ReturnType<typeof createWorld>, process: Process): Promise<void> {
  world.clock.nowMs += 26 * HOUR_MS;
  await expire(process.deps);
  await sweep(process.deps);
  const items = world.table.items();
  expect(items.filter(({ pk, sk }) => /^(seg|blk|win)\//.test(pk) && sk !== 'head')).toEqual([]);
  expect([...world.blobs.stored.keys()]).toEqual([]);
  await process.append('2', again);
  await compact(process.deps);
  await downsample(process.deps);
  expect(findLooseEnds(world.table.items(), world.blobs.stored.keys()).dangling).toEqual([]);
  const reader = { ...process.deps, now: () => DAY + 2 * DAY_MS }; // before all of it is past its retention again
  for (const tier of all) expect(await readTier(reader, tier, ['up'], DAY, DAY + 3 * DAY_MS)).toEqual(aggregates(again, tier));
}

describe('a day whose tiers expire one after the other', () => {
  it.each([...FAULTS.filter((fault) => fault !== 'throttle'), 'stall'] as const)(
    'keeps each until its time and leaves nothing, after %s at any one call of expiry',
    async (fault) => {
      const calls = (await live(() => undefined)).filter((call) => isDistinct(fault, call));
      const failures: string[] = [];
      await mapConcurrent(calls, 32, async ({ number, name }) => {
        await live(faultAt(number, fault)).catch((error: Error) => failures.push(`call ${number}, ${name}: ${error.message}`));
      });
      expect(calls.length).toBeGreaterThan(3);
      expect(failures.slice(0, 3)).toEqual([]);
    },
    120_000,
  );

  it('does so where calls are throttled', async () => {
    for (const calls of await Promise.all(throttlePlans.map((plan) => live(plan)))) expect(calls.length).toBeGreaterThan(50);
  });
});
