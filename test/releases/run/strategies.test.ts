import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { application, createWorld, shop } from './release-world.ts';

const weights = (changes: readonly { readonly to: { readonly weight: number } }[]) => changes.map(({ to }) => to.weight);

describe('a release', () => {
  it('walks a canary of CodeDeploy and is promoted', async () => {
    const world = createWorld({ applications: [shop('strategy: { canary: Canary10Percent5Minutes }')] });
    const id = await world.start('v2');
    await world.advance();
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v1', canary: 'v2', weight: 10 });
    await world.run(4 * MINUTE_MS);
    expect(world.traffic.at('shop/production').weight).toBe(10);
    await world.run(2 * MINUTE_MS);
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v2', weight: 0 });
    expect((await world.release(id)).phase).toBe('promoted');
    expect(
      world
        .events()
        .map(({ detailType }) => detailType)
        .sort(),
    ).toEqual(['Canary Step Due', 'Canary Step Due', 'Release Promoted', 'Release Started']);
  });

  it('walks a linear shift, ten percent at a time', async () => {
    const world = createWorld({ applications: [shop('strategy: { canary: Linear10PercentEvery1Minute }')] });
    await world.start('v2');
    await world.advance();
    await world.run(12 * MINUTE_MS);
    expect(weights(world.traffic.changes)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 0]);
  });
});

describe('looking at releases', () => {
  it('is one read where there are none, and four where one waits and nothing is due', async () => {
    const world = createWorld({ applications: [shop('strategy: { canary: Canary10Percent5Minutes }')] });
    const idle = world.open(undefined);
    await advanceReleases(idle.deps);
    expect(idle.calls.map(({ name }) => name)).toEqual(['table.query']);
    await world.start('v2');
    await world.advance();
    const waiting = world.open(undefined);
    await advanceReleases(waiting.deps);
    expect(waiting.calls.map(({ name }) => name)).toEqual(['table.query', 'table.get', 'table.get', 'table.query']);
  });
});

describe('other strategies', () => {
  it('blue and green warms without traffic, switches, bakes, and keeps the old', async () => {
    const world = createWorld({ applications: [shop('strategy: { blueGreen: { warm: 2m, bake: 5m, keep: 1h } }')] });
    const id = await world.start('v2');
    await world.advance();
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v1', canary: 'v2', weight: 0 });
    await world.run(3 * MINUTE_MS);
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v1', canary: 'v2', weight: 100 });
    await world.run(6 * MINUTE_MS);
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v2', weight: 0 });
    expect((await world.release(id)).keepUntilMs).toBeGreaterThan(world.clock.nowMs);
  });

  it('rolling goes batch by batch, and back where a batch fails', async () => {
    const world = createWorld({
      applications: [shop('strategy: { rolling: { batches: 4, pause: 1m, after: [{ alerts: {}, otherwise: rollback }] } }')],
    });
    await world.start('v2');
    await world.advance();
    await world.run(90_000);
    world.world.firing = ['Down'];
    await world.run(90_000);
    expect(weights(world.traffic.changes)).toEqual([25, 50, 0]);
    expect(world.traffic.at('shop/production')).toEqual({ stable: 'v1', weight: 0 });
  });

  it('where nothing here shifts traffic, a release passes its gates, and what it has promoted is the stable version of the next', async () => {
    const world = createWorld({
      applications: [application('application: shop\nrepository: acme/shop\nenvironments: [{ name: production }]')],
    });
    await world.start('v2');
    await world.advance();
    const next = await world.start('v3');
    await world.advance();
    expect(await world.release(next)).toMatchObject({ phase: 'promoted', stable: 'v2' });
    expect(world.traffic.changes).toEqual([]);
  });
});
