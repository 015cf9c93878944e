import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import { createWorld, shop } from './release-world.ts';

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
