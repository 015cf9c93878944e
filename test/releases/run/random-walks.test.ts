import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { Verdict } from '#model/judgement.ts';
import { CrashError, FAULTS, type Fault } from '#ports/faulty.ts';
import type { TrafficDriver } from '#ports/traffic.ts';
import { COMMANDS } from '#releases/plan/command.ts';
import { carriedBy, type HistoryEntry, isEnded, type Release } from '#releases/release/release.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { commandRelease } from '#releases/run/command-release.ts';
import { startRelease } from '#releases/run/start-release.ts';
import { createWorld, shop } from './release-world.ts';

const PLACE = 'shop/production';
const environment = `
deadline: 10m
strategy:
  canary:
    steps:
      - { weight: 0, pause: 30s }
      - { weight: 10, pause: 1m, before: [{ approval: {} }], after: [{ analysis: errors, interval: 30s }] }
      - { weight: 50, pause: 1m, after: [{ analysis: errors, interval: 30s, otherwise: rollback }] }
gates:
  step: [{ alerts: {}, otherwise: rollback }]
`;
const blueGreen = `
deadline: 10m
onNewer: supersede
background: [errors]
strategy: { blueGreen: { warm: 30s, bake: 2m, keep: 10m } }
`;

type World = ReturnType<typeof createWorld>;
type Action =
  | { readonly kind: 'pass' | 'calm'; readonly ms: number }
  | { readonly kind: 'start'; readonly version: string; readonly delivery: string; readonly fault: number; readonly how: Fault }
  | { readonly kind: 'advance'; readonly fault: number; readonly how: Fault }
  | {
      readonly kind: 'command';
      readonly which: number;
      readonly command: (typeof COMMANDS)[number];
      readonly fault: number;
      readonly how: Fault;
    }
  | { readonly kind: 'verdict'; readonly verdict: Verdict | 'error' }
  | { readonly kind: 'alert' | 'driver' | 'settle' | 'race' | 'approve' | 'somebody' };

const faultAt = { fault: fc.integer({ min: 1, max: 60 }), how: fc.constantFrom(...FAULTS) };
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: SECOND_MS, max: 3 * MINUTE_MS }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(30 * 24 * HOUR_MS, -HOUR_MS, -3 * SECOND_MS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      version: fc.constantFrom('v2', 'v3', 'v4'),
      delivery: fc.constantFrom('a', 'b', 'c', 'd'),
      ...faultAt,
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('advance' as const), ...faultAt }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('command' as const), which: fc.nat(5), command: fc.constantFrom(...COMMANDS), ...faultAt }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('verdict' as const),
      verdict: fc.constantFrom(
        'pass' as const,
        'pass' as const,
        'continue' as const,
        'inconclusive' as const,
        'fail' as const,
        'error' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('alert' as const, 'driver' as const, 'settle' as const, 'race' as const, 'somebody' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('approve' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('calm' as const), ms: fc.integer({ min: MINUTE_MS, max: 4 * MINUTE_MS }) }) },
);

/** What a walk is remembered by. */
interface Walk {
  readonly world: World;
  readonly late: (() => Promise<void>)[];
  isDown: boolean;
}

/** Ends as a process does: with an error that it tells, or dead. */
async function orDie(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof CrashError) && !isOpsError(error)) throw error;
  }
}

/** A process with one fault, in a world whose driver may be down. */
function openProcess({ world, late, ...walk }: Walk, { fault, how }: { readonly fault: number; readonly how: Fault }) {
  const isDriver = /^traffic\./;
  const opened = world.open(({ number, name }) => {
    if (number === fault) return how;
    return walk.isDown && isDriver.test(name) ? 'fail-before' : undefined;
  });
  late.push(opened.settle);
  return opened.deps;
}

async function act(walk: Walk, each: Action): Promise<void> {
  const { world } = walk;
  switch (each.kind) {
    case 'pass':
      return world.passMs(each.ms);
    case 'calm':
      return orDie(() => world.run(each.ms));
    case 'somebody':
      return world.traffic.set(PLACE, { stable: 'v1', weight: 0 });
    case 'approve':
      for (const { id } of await listAll(world)) await orDie(() => world.command(id, 'approve'));
      return;
    case 'start':
      return orDie(() => startRelease(openProcess(walk, each), ...world.request(each.version, each.delivery)));
    case 'advance':
      return orDie(() => advanceReleases(openProcess(walk, each)));
    case 'race':
      return orDie(() => Promise.all([world.advance(), world.advance(), world.start('v5', 'r1'), world.start('v6', 'r2')]));
    case 'command': {
      const releases = await listAll(world);
      const release = releases[each.which % Math.max(1, releases.length)];
      if (!release) return;
      return orDie(() => commandRelease(openProcess(walk, each), 'default', release.id, { command: each.command, actor: 'ann' }));
    }
    case 'verdict':
      world.world.verdict = each.verdict === 'error' ? new OpsError('unavailable', 'no metrics') : each.verdict;
      return;
    case 'alert':
      world.world.firing = world.world.firing.length > 0 ? [] : ['Down'];
      return;
    case 'driver':
      walk.isDown = !walk.isDown;
      return;
    case 'settle':
      for (const settle of walk.late.splice(0)) await settle();
  }
}

async function listAll({ table }: World): Promise<Release[]> {
  const items = table.items().filter(({ pk, release }) => pk === 'releases/default' && release !== undefined);
  return items.map(({ release }) => JSON.parse(String(release)) as Release);
}

function historyItems({ table }: World): Map<string, string> {
  const items = table.items().filter(({ pk }) => pk.startsWith('releases/history/'));
  return new Map(items.map(({ pk, sk, entry }) => [`${pk} ${sk}`, String(entry)]));
}

/** A driver that notes what no history has said before it was told. */
function watchDriver(historyOf: () => Map<string, string>, unexplained: string[]): (driver: TrafficDriver) => TrafficDriver {
  const entries = () => [...historyOf().values()].map((text) => JSON.parse(text) as HistoryEntry).filter(({ kind }) => kind === 'traffic');
  return (driver) => ({
    ...driver,
    shift(target, from, to) {
      const isKnown = entries().some((entry) => JSON.stringify([entry.from, entry.to]) === JSON.stringify([from, to]));
      if (!isKnown) unexplained.push(`shift to ${JSON.stringify(to)}`);
      return driver.shift(target, from, to);
    },
    restore(target, captured) {
      if (!entries().some(({ sentence }) => sentence.includes('the traffic goes back to'))) unexplained.push('restore');
      return driver.restore(target, captured);
    },
  });
}

/** The world is well again, and time goes by. */
async function drain(walk: Walk, verdict: Verdict): Promise<void> {
  const { world } = walk;
  walk.isDown = false;
  for (const settle of walk.late.splice(0)) await settle();
  world.world.firing = [];
  world.world.verdict = verdict;
  for (const { id, paused } of await listAll(world)) if (paused) await orDie(() => world.command(id, 'resume'));
  for (let i = 0; i < 60; i++) {
    await world.run(4 * MINUTE_MS, 2 * MINUTE_MS);
    if (verdict === 'pass') await act(walk, { kind: 'approve' });
  }
}

/** Traffic that is shared is that of a release that says so. */
async function checkSaid({ world }: Walk): Promise<void> {
  const { canary, weight } = world.traffic.at(PLACE);
  if (canary === undefined || weight === 0) return;
  const saying = (await listAll(world)).filter((release) => !isEnded(release) || release.watchUntilMs !== undefined);
  expect(saying.map(({ version }) => version)).toContain(canary);
}

async function checkEnd({ world }: Walk): Promise<void> {
  const releases = await listAll(world);
  const now = world.traffic.at(PLACE);
  expect(releases.filter((release) => !isEnded(release)).map(({ id, phase }) => `${id} ${phase}`)).toEqual([]);
  const promoted = new Set(releases.filter(({ phase }) => phase === 'promoted').map(({ version }) => version));
  for (const { version, phase } of releases) {
    if (phase !== 'promoted' && !promoted.has(version)) expect(carriedBy(version, now)).toBe(0);
  }
  expect(now.canary).toBeUndefined();
  expect(world.table.items().filter(({ pk }) => pk === 'releases/_active')).toEqual([]);
  for (const release of releases) checkHistory(release, await world.history(release.id));
}

/** No step is skipped, and nothing is promoted unless it passed all there was to pass, or a person said so. */
function checkHistory(release: Release, history: readonly HistoryEntry[]): void {
  expect(history.map(({ number }) => number)).toEqual(history.map((_, i) => i + 1));
  const meant = history.flatMap(({ kind, to, from }) => (kind === 'traffic' && from && to ? [to] : []));
  const weights = release.plan.steps.map(({ weight }) => weight);
  const shifted = meant.filter(({ canary }) => canary === release.version).map(({ weight }) => weight);
  expect(shifted).toEqual(weights.slice(0, shifted.length));
  const isAlreadyThere = release.outcome?.endsWith('already') ?? false;
  if (release.phase !== 'promoted' || isAlreadyThere) return;
  expect(shifted).toEqual(weights);
  const isByHand = history.some(({ kind, sentence }) => kind === 'command' && sentence.includes(' passed'));
  const analyses =
    release.plan.steps.flatMap(({ after }) => after.filter(({ kind }) => kind === 'analysis')).length || release.plan.background.length;
  const passes = history.filter(({ kind, sentence }) => kind === 'analysis' && sentence.includes(': pass.')).length;
  if (!isByHand) expect(passes).toBeGreaterThanOrEqual(analyses);
}

describe('releases on random walks', () => {
  it.each([
    ['a canary that asks for an approval', environment],
    ['blue and green, a newer release ending the older', blueGreen],
  ])(
    '%s: whatever happens, traffic of what failed goes back to 0, no step is skipped, all end, and history explains all',
    async (_, text) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(action, { minLength: 10, maxLength: 80 }),
          fc.constantFrom<Verdict>('pass', 'fail', 'continue'),
          async (actions, end) => {
            const unexplained: string[] = [];
            const watch = watchDriver(() => historyItems(walk.world), unexplained);
            const walk: Walk = { world: createWorld({ applications: [shop(text)], watch }), late: [], isDown: false };
            let known = new Map<string, string>();
            for (const each of actions) {
              await act(walk, each);
              if (each.kind === 'calm') await checkSaid(walk);
              const now = historyItems(walk.world);
              for (const [key, entry] of known) expect(now.get(key)).toBe(entry);
              known = now;
            }
            await drain(walk, end);
            await checkEnd(walk);
            expect(unexplained).toEqual([]);
          },
        ),
        { numRuns: 60, interruptAfterTimeLimit: 20_000 },
      );
    },
  );
});
