import { describe, expect, it } from 'vitest';
import { configPartition } from '#releases/configuration/versions.ts';
import { listReleases } from '#releases/release/release-store.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { startRelease } from '#releases/run/start-release.ts';
import { createWorld, shop } from './release-world.ts';

/** Words that partitions of releases are called by: each is a name that a tenant can have. */
const WORDS = ['active', 'answers', 'answers-due', 'codedeploy', 'configuration', 'deliveries', 'history', 'slots', 'starts', 'versions'];

describe('a tenant', () => {
  it.each(WORDS)('may be called %s, and has its own releases and nothing else', async (tenant) => {
    const world = createWorld({ applications: [shop('strategy: { canary: { steps: [{ weight: 10, pause: 10m }] } }')] });
    await world.start('v2');
    const [request, plan] = world.request('v3');
    const { id } = await startRelease(world.deps, { ...request, tenant, application: 'other' }, plan);
    const { releases } = await listReleases(world.table, tenant, { limit: 100 });
    expect(releases.map((each) => each.id)).toEqual([id]);
    expect((await advanceReleases(world.deps)).map((each) => each.tenant).sort()).toEqual([tenant, 'default'].sort());
  });

  it('has no configuration among the versions of another', () => {
    expect(configPartition({ tenant: 'versions', application: 'shop' })).toBe('releases/configuration/versions/shop');
  });
});
