import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import { normalizeTraffic, type TrafficDriver, type TrafficState } from '#ports/traffic.ts';
import { createWorld, shop } from './release-world.ts';

/** A driver that says states in its own form. */
const saying =
  (form: (state: TrafficState) => TrafficState) =>
  (driver: TrafficDriver): TrafficDriver => ({
    ...driver,
    read: async (target) => form(await driver.read(target)),
    shift: async (target, from, to) => form(await driver.shift(target, from, to)),
    restore: async (target, captured) => form(await driver.restore(target, captured)),
  });

/** All of it for the canary makes it the stable version, as an alias of Lambda has it. */
const shortest = saying(normalizeTraffic);
/** A canary that has all of it stays one. */
const longest = saying((state) =>
  state.canary === undefined && state.stable !== 'v1' ? { stable: 'v1', canary: state.stable, weight: 100 } : state,
);

describe.each([
  ['the shortest', shortest],
  ['the longest', longest],
])('a driver that says states in %s form', (_, watch) => {
  it.each([
    ['blue/green that warms and bakes', 'strategy: { blueGreen: { warm: 5m, bake: 10m } }', 20],
    [
      'a canary that is held at all traffic',
      'strategy: { canary: { steps: [{ weight: 10, pause: 5m }, { weight: 100, pause: 10m }] } }',
      20,
    ],
    ['batches', 'strategy: { rolling: { batches: 2, maxUnavailable: 50, pause: 5m } }', 15],
  ])('is no drift in %s, and the next release begins where it ended', async (_name, strategy, minutes) => {
    const world = createWorld({ applications: [shop(strategy)], watch });
    for (const version of ['v2', 'v3']) {
      const id = await world.start(version);
      await world.advance();
      await world.run(minutes * MINUTE_MS);
      expect(await world.release(id)).toMatchObject({ phase: 'promoted', stable: version === 'v2' ? 'v1' : 'v2' });
    }
  });

  it('a background analysis goes on looking when all traffic is there', async () => {
    const strategy = 'strategy: { canary: { steps: [{ weight: 100, pause: 10m }] } }\nbackground: [errors]';
    const world = createWorld({ applications: [shop(strategy)], watch });
    const id = await world.start('v2');
    await world.advance();
    await world.run(5 * MINUTE_MS);
    expect((await world.release(id)).gates).toMatchObject([{ name: 'analysis errors', state: 'running' }]);
    world.world.verdict = 'fail';
    await world.run(2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(normalizeTraffic(world.traffic.at('shop/production'))).toEqual({ stable: 'v1', weight: 0 });
  });
});
