import { describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty, type PortCall } from '#ports/faulty.ts';
import type { ReleaseEvent } from '#releases/ci/release-event.ts';
import { COMMIT, createAnswerWorld, deploymentReply, releaseEvent } from './answer-world.ts';

type World = ReturnType<typeof createAnswerWorld>;

const story: readonly (readonly [detailType: string, minute: number])[] = [
  ['Release Waiting', 0],
  ['Release Started', 1],
  ['Release Promoted', 2],
];
const at = (minute: number) => new Date(Date.parse('2026-11-23T12:00:00Z') + minute * MINUTE_MS).toISOString();

function eventsOf(world: World): (readonly [string, ReleaseEvent])[] {
  const rule = world.rule();
  return story.flatMap(([detailType, minute]) => [
    [detailType, releaseEvent({ id: `rule-${minute}`, at: at(minute), reply: rule })] as const,
    [detailType, releaseEvent({ id: `deployment-${minute}`, at: at(minute), application: 'other', reply: deploymentReply })] as const,
  ]);
}

/** What fails may be tried again, and the process may end; anything else is a defect. */
async function attempt(job: () => Promise<unknown>): Promise<boolean> {
  try {
    await job();
    return true;
  } catch (error) {
    if (isOpsError(error, 'unavailable') || error instanceof CrashError) return false;
    throw error;
  }
}

/** The story with faults; the bus brings an event again until it is taken, and after a crash a new process goes on. */
async function runStory(plan: (call: PortCall) => Fault | undefined) {
  const world = createAnswerWorld();
  const broken = faulty(world.ports, plan);
  let process = world.start(broken.ports);
  const restart = () => {
    if (broken.crashed()) process = world.start();
  };
  for (const [detailType, event] of eventsOf(world)) {
    while (!(await attempt(() => process.record(detailType, event)))) restart();
    await attempt(() => process.send());
    restart();
    world.clock.nowMs += 10_000;
  }
  for (let i = 0; i < 10; i++) {
    await broken.settle();
    await attempt(() => process.send());
    restart();
    world.clock.nowMs += 3 * MINUTE_MS;
  }
  return { world, calls: broken.calls };
}

function assertTold(world: World, hint: unknown): void {
  const distinct = <T>(states: readonly T[]) => states.filter((state, i) => state !== states[i - 1]);
  expect([hint, world.ruleState()?.state]).toEqual([hint, 'approved']);
  const deployment = world.github.deployments.get('42')?.map(({ state }) => state) ?? [];
  expect([hint, deployment.at(-1), distinct(deployment)]).toEqual([hint, 'success', deployment]);
  expect([hint, (['queued', 'in_progress', 'success'] as const).filter((state) => deployment.includes(state))]).toEqual([hint, deployment]);
  for (const context of ['quarterdeck/shop/production', 'quarterdeck/other/production']) {
    const states = world.github.commits.get(COMMIT)?.filter((status) => status.context === context) ?? [];
    expect([hint, context, distinct(states.map(({ state }) => state)).at(-1)]).toEqual([hint, context, 'success']);
  }
  expect([hint, world.deadLetters()]).toEqual([hint, []]);
  expect([hint, world.table.items().filter(({ pk }) => pk === 'releases/answers/_due')]).toEqual([hint, []]);
}

describe('answers', () => {
  it('without faults are told once each', async () => {
    const { world } = await runStory(() => undefined);
    assertTold(world, 'none');
    expect(world.github.deployments.get('42')).toHaveLength(3);
    expect(world.ruleState()?.comments).toHaveLength(3);
    expect(world.github.calls.every(({ status }) => status < 300)).toBe(true);
  });

  it.each(FAULTS)('arrive and end right whichever call meets %s', async (fault) => {
    const { calls } = await runStory(() => undefined);
    expect(calls.filter(({ name }) => name === 'outgoing.send').length).toBeGreaterThan(12);
    await mapConcurrent(calls, 32, async ({ number, name }) => {
      const { world } = await runStory(faultAt(number, fault));
      assertTold(world, [fault, number, name]);
    });
  });

  it('are told once by two processes at the same time', async () => {
    const world = createAnswerWorld();
    const [one, other] = [world.start(), world.start()];
    for (const [detailType, event] of eventsOf(world)) {
      await Promise.all([one.record(detailType, event), other.record(detailType, event)]);
      await Promise.all([one.send(), other.send()]);
    }
    assertTold(world, 'two');
    expect(world.github.deployments.get('42')).toHaveLength(3);
    expect(world.ruleState()?.comments).toHaveLength(3);
  });

  it('wait for a try under way, so that a place does not end with what is older', async () => {
    const world = createAnswerWorld();
    const [waiting, promoted] = [eventsOf(world)[1], eventsOf(world)[5]];
    // The first thing that is sent asks for the token, which both answers wait for.
    let sends = 0;
    const stalling = faulty(world.ports, ({ name }) => (name === 'outgoing.send' && sends++ === 0 ? 'stall' : undefined));
    const slow = world.start(stalling.ports);
    const quick = world.start();
    await quick.record(...waiting);
    const sending = slow.send();
    await stalling.stalled;
    await quick.record(...promoted);
    await quick.send();
    expect(world.github.deployments.get('42')).toBeUndefined();
    stalling.release();
    expect(await sending).toMatchObject({ superseded: 2 });
    expect(world.github.deployments.get('42')?.map(({ state }) => state)).toEqual(['queued', 'success']);
  });
});
