import { describe, expect, it } from 'vitest';
import { sweepAlerts } from '#alerts/sweep-alerts.ts';
import { mapConcurrent } from '#core/batch.ts';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import { FAULTS, type Fault, faultAt, faulty, type PortCall } from '#ports/faulty.ts';
import type { MemoryBlobs } from '#ports/memory/memory-blobs.ts';
import type { MemoryTable } from '#ports/memory/memory-table.ts';
import type { ItemKey, Table } from '#ports/table.ts';
import {
  alertRule,
  assertExpected,
  createWorld,
  groupOf,
  START,
  seriesOf,
  startProcess,
  type Told,
  type World,
  type WorldPorts,
} from './world.ts';

type Plan = (call: PortCall) => Fault | undefined;

const first = groupOf('rules/a.yaml', [
  { kind: 'record', name: 'load:sum', expr: 'sum(load)', labels: {} },
  alertRule('Loaded', 'load > 5', { annotations: { note: `{{ $value }} ${'of much '.repeat(8)}` } }),
  alertRule('AllLoaded', 'load:sum > 12', { forMs: MINUTE_MS, keepFiringForMs: MINUTE_MS }),
]);
const second = groupOf('rules/b.yaml', [alertRule('Down', 'up == 0')]);
const STEPS = 15;
/** After the last step, and longer than any claim, lease or back-off each. */
const QUIET_STEPS = 3;
const QUIET_MS = 3 * MINUTE_MS;

function createScenario(): World {
  const world = createWorld();
  // One value a minute, from the minute before the start on. As in Alertmanager, what is over before anybody was told is not told: all
  // fire for longer than a crash keeps them from it.
  const shapes: Record<string, readonly number[]> = {
    a: [1, 7, 7, 9, 7, 7, 1, 1, 1, 1, 7, 7, 7, 7],
    b: [1, 7, 7, 7, 7, 7, 7, 7, 1, 1],
    c: [1, 1, 1, 1, 1, 1, 1, 1, 7, 7, 7, 7, 7],
  };
  for (const [instance, values] of Object.entries(shapes)) {
    const all = [...values, ...Array(STEPS + 10).fill(1)];
    const series = seriesOf({ __name__: 'load', instance, path: `/${instance.repeat(40)}` });
    world.feed(
      series,
      START - MINUTE_MS,
      all.flatMap((value) => Array(4).fill(value)),
    );
  }
  world.feed(seriesOf({ __name__: 'up', job: 'x' }), START - MINUTE_MS, [1, 1, 1, 1, ...Array(4 * (STEPS + 10)).fill(0)]);
  return world;
}

/** Each process believes that it alone holds its leases, so that everything is done by both. */
function withoutLeases(table: Table): Table {
  const isLease = ({ pk }: ItemKey) => pk === 'lease';
  return {
    ...table,
    put: async (item, condition) => (isLease(item) ? undefined : table.put(item, condition)),
    delete: async (key, condition) => (isLease(key) ? undefined : table.delete(key, condition)),
  };
}

interface Options {
  readonly processes?: 1 | 2;
  /** Added to the clock at a step. */
  readonly jumps?: Readonly<Record<number, number>>;
}

/** The scenario with faults in the first process; after a crash it starts anew. The second group comes with the faults and goes before the end. */
async function runScenario(plan: Plan, { processes = 1, jumps = {} }: Options = {}) {
  const world = createScenario();
  world.state.groups = [first];
  assertExpected(await startProcess(world, world.ports, 's').turn());
  world.state.groups = [first, second];
  const broken = faulty(world.ports, plan);
  const bare = (ports: WorldPorts) => (processes === 2 ? { ...ports, table: withoutLeases(ports.table) } : ports);
  let process = startProcess(world, bare(broken.ports), 'p');
  const other = processes === 2 ? startProcess(world, bare(world.ports), 'q') : undefined;
  let isRestarted = false;
  for (let step = 0; step < STEPS + QUIET_STEPS; step++) {
    world.clock.nowMs += (step < STEPS ? MINUTE_MS : QUIET_MS) + (jumps[step] ?? 0);
    if (step === STEPS - 2) world.state.groups = [first];
    const failures = await Promise.all([process.turn(), other?.turn()]);
    assertExpected(failures.flatMap((list) => list ?? []));
    await broken.settle();
    if (!broken.crashed() || isRestarted) continue;
    isRestarted = true;
    process = startProcess(world, bare(world.ports), 'r');
  }
  return { world, calls: broken.calls };
}

/** What each alert was told as, in order, equal ones that follow one another once. */
function storyOf(told: readonly Told[]): Map<string, string[]> {
  const stories = new Map<string, string[]>();
  for (const { planned } of told) {
    for (const { labels, endsAtMs } of planned.alerts) {
      const name = `${labels.alertname} ${labels.instance ?? ''}`;
      const story = stories.get(name) ?? [];
      const now = Number.isFinite(endsAtMs) ? 'resolved' : 'firing';
      if (story.at(-1) !== now) story.push(now);
      stories.set(name, story);
    }
  }
  return stories;
}

/**
 * Samples but for markers of staleness, which the end of a group writes at whatever time that is, and but for the first and last minutes of
 * the second group: one that was never evaluated, or is there no more, has no evaluations to catch up with.
 */
function samplesOf(world: World): Map<string, [number, number][]> {
  const pairs = [...world.written].map(([key, times]): [string, [number, number][]] => {
    const isSecond = key.includes('"Down"');
    const [fromMs, toMs] = isSecond ? [START + 4 * MINUTE_MS, START + (STEPS - 4) * MINUTE_MS] : [START, START + STEPS * MINUTE_MS];
    const kept = [...times].filter(([ts, value]) => ts >= fromMs && ts <= toMs && !Number.isNaN(value)).sort((a, b) => a[0] - b[0]);
    return [key, isSecond ? kept.map(([ts]) => [ts, 0]) : kept];
  });
  return new Map(pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1)));
}

/** Every transition was told, and the same key never tells something else. */
function checkTold(world: World, isExact: boolean): void {
  const contents = new Map<string, unknown>();
  for (const { key, planned } of world.told) {
    expect(planned).toEqual(contents.get(key) ?? planned);
    contents.set(key, planned);
  }
  if (isExact) expect(world.told.length).toBe(contents.size);
  for (const [name, story] of storyOf(world.told)) {
    expect({ name, ends: story.at(-1) }).toEqual({ name, ends: 'resolved' });
    expect({ name, begins: story[0] }).toEqual({ name, begins: 'firing' });
  }
  const names = ['Loaded a', 'Loaded b', 'Loaded c', 'AllLoaded ', 'Down '];
  expect([...storyOf(world.told).keys()].sort()).toEqual([...names].sort());
}

/** Nothing waits, and after a day nothing lies about. */
async function checkEnd(world: World): Promise<void> {
  const { table, blobs } = world.ports as WorldPorts & { table: MemoryTable; blobs: MemoryBlobs };
  const left = (prefix: string) => table.items().filter(({ pk }) => pk.startsWith(prefix));
  expect(left('alerts/inbox')).toEqual([]);
  expect(left('alerts/batches')).toEqual([]);
  expect(left('alerts/deliveries')).toEqual([]);
  expect(left('alerts/lanes')).toEqual([]);
  expect(left('alerts/groups').length).toBe(1);
  world.clock.nowMs += 2 * DAY_MS;
  await sweepAlerts({ table, blobs, now: () => world.clock.nowMs });
  const named = table.items().flatMap(({ key }) => (typeof key === 'string' ? [key] : []));
  expect([...blobs.stored.keys()].sort()).toEqual(named.sort());
}

const READS = new Set(['table.get', 'table.query', 'blobs.get', 'blobs.list']);
const BATCHES = new Set(['table.batch', 'blobs.delete']);

/** Of kinds that the same code bears wherever they come, only one call in so many is tried. */
const STRIDES: Partial<Record<Fault, number>> = { 'fail-before': 7, throttle: 7, timeout: 4, 'fail-after': 2, 'crash-after': 2 };

/** False where another kind of fault, or the same at another call, does the very same: a crash before a write is one after the write before. */
function isDistinct(fault: Fault, { name, number }: PortCall): boolean {
  if (fault === 'crash-before') return number === 1;
  if (READS.has(name)) return fault === 'throttle';
  return fault !== 'throttle' && (!fault.endsWith('half') || BATCHES.has(name));
}

describe('alerting under faults', () => {
  it('tells everything once, and writes every sample, where nothing fails', async () => {
    const { world, calls } = await runScenario(() => undefined);
    expect(calls.length).toBeGreaterThan(200);
    checkTold(world, true);
    expect(storyOf(world.told).get('Loaded a')).toEqual(['firing', 'resolved', 'firing', 'resolved']);
    const [alerts] = [...samplesOf(world)].filter(([key]) => key.startsWith('ALERTS_FOR_STATE') && key.includes('"Down"'));
    expect(alerts?.[1].map(([ts]) => ts)).toEqual(Array.from({ length: STEPS - 7 }, (_, i) => START + (i + 4) * MINUTE_MS));
    await checkEnd(world);
  });

  async function expectSurvival(fault: Fault, planFor: (number: number) => Plan, options: Options): Promise<void> {
    const reference = await runScenario(() => undefined, options);
    const stride = (STRIDES[fault] ?? 1) * (options.processes === 2 ? 4 : 1);
    const calls = reference.calls.filter((call) => isDistinct(fault, call)).filter((_, i) => i % stride === 0);
    const failures: string[] = [];
    await mapConcurrent(calls, 32, async ({ number, name }) => {
      try {
        const { world } = await runScenario(planFor(number), options);
        const isSure = !fault.startsWith('crash') && !(name === 'receiver.send' && fault !== 'fail-before');
        checkTold(world, isSure && options.processes !== 2);
        expect(samplesOf(world)).toEqual(samplesOf(reference.world));
        await checkEnd(world);
      } catch (error) {
        failures.push(`call ${number}, ${name}: ${(error as Error).stack?.slice(0, 1500)}`);
      }
    });
    expect(failures.slice(0, 2)).toEqual([]);
  }

  it.each(FAULTS)('loses and doubles nothing after %s at any one call', async (fault) => {
    await expectSurvival(fault, (number) => faultAt(number, fault), {});
  });

  it.each(['fail-after', 'timeout', 'crash-after'] as const)(
    'loses and doubles nothing after %s at any one call while another process does everything too',
    async (fault) => {
      await expectSurvival(fault, (number) => faultAt(number, fault), { processes: 2 });
    },
  );

  it('tells everything exactly once where two processes do everything', async () => {
    const { world } = await runScenario(() => undefined, { processes: 2 });
    checkTold(world, true);
    expect(samplesOf(world)).toEqual(samplesOf((await runScenario(() => undefined)).world));
    await checkEnd(world);
  });

  it.each(Array.from({ length: STEPS }, (_, step) => step))(
    'is right again after the clock was a day ahead from minute %i on for two minutes',
    async (step) => {
      const { world } = await runScenario(() => undefined, { jumps: { [step]: DAY_MS, [step + 2]: -DAY_MS } });
      checkTold(world, true);
      await checkEnd(world);
    },
  );
});
