import { expect, it } from 'vitest';
import { createMemoryRollouts } from '#ports/memory/memory-rollouts.ts';
import type { RolloutState } from '#ports/rollouts.ts';
import type { TrafficDriver } from '#ports/traffic.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { createFlagTraffic } from '#releases/traffic/flag-traffic.ts';
import { createWorld, shop } from './release-world.ts';

/** A release that a flag shifts. */
function openFlag() {
  const rollouts = createMemoryRollouts([{ tenant: 'default', flag: 'checkout', variant: 'on' }]);
  const flag = createFlagTraffic(rollouts);
  const of = <T extends { settings: object }>(target: T) => ({ ...target, settings: { flag: 'checkout' } });
  const driver: TrafficDriver = {
    read: (target) => flag.read(of(target)),
    capture: (target) => flag.capture(of(target)),
    shift: (target, from, to) => flag.shift(of(target), from, to),
    restore: (target, captured) => flag.restore(of(target), captured),
  };
  const world = createWorld({ applications: [shop('strategy: { canary: { steps: [{ weight: 50, pause: 1h }] } }')] });
  const deps = { ...world.deps, drivers: () => driver };
  const held = () => rollouts.states.get('default/checkout') as RolloutState;
  const put = (more: Partial<RolloutState>) => rollouts.states.set('default/checkout', { ...held(), version: held().version + 1, ...more });
  return { world, held, put, advance: () => advanceReleases(deps) };
}

it('a flag that is turned off in mid-canary is nobody’s afterwards, so that turning it on again gives the failed version nothing', async () => {
  const { world, held, put, advance } = openFlag();
  const id = await world.start('v2');
  await advance();
  expect(held()).toMatchObject({ percentage: 50, boundTo: 'v2' });
  put({ isKilled: true });
  world.passMs(2 * 60_000);
  await advance();
  expect((await world.release(id)).phase).toBe('rolled-back');
  expect(held()).toMatchObject({ percentage: 0, boundTo: undefined, isKilled: true });
});
