import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import type { CiReport } from '#model/ci-report.ts';
import { FAULTS, faultAt } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { readChecks } from '#releases/release/checks.ts';
import { findVersion, registerVersion } from '#releases/release/versions.ts';
import { startRelease } from '#releases/run/start-release.ts';
import { takeReport } from '#releases/run/take-report.ts';
import { application, createWorld, START_MS, shop } from './release-world.ts';

const PLACE = 'shop/production';
const slow = shop('strategy: { canary: Canary10Percent5Minutes }');
const walked = application(`
application: shop
repository: [acme/shop, acme/shop-mirror]
refs: [main, 'release/*']
pipeline:
  - { stage: test, checks: [unit] }
  - { stage: deploy, environment: staging }
  - { stage: verify, environment: staging, checks: [smoke] }
  - { stage: deploy, environment: production }
environments:
  - { name: preview, starts: [seen], requires: [], driver: { type: memory } }
  - { name: staging, starts: [requested], requires: [], driver: { type: memory } }
  - { name: production, starts: [promoted], driver: { type: memory }, gates: { start: [{ approval: {} }] } }
`);

function report(more: Partial<CiReport>): CiReport {
  return { provider: 'github', delivery: 'd1', kind: 'release-requested', repository: 'acme/shop', commit: 'c0ffee', ref: 'main', ...more };
}

describe('starting a release', () => {
  it('twice by one delivery is starting it once, before and after it has ended', async () => {
    const world = createWorld({ applications: [slow] });
    const id = await world.start('v2', 'd1');
    expect(await world.start('v2', 'd1')).toBe(id);
    await world.advance();
    await world.run(10 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
    expect(await world.start('v2', 'd1')).toBe(id);
  });

  it('of a version that is under way joins it, and each who asked is told', async () => {
    const world = createWorld({ applications: [slow] });
    const [request, plan] = world.request('v2', 'github:1');
    const first = await startRelease(world.deps, { ...request, reply: { callback: 'a' } }, plan);
    const second = await startRelease(world.deps, { ...request, delivery: 'gitlab:7', reply: { callback: 'b' } }, plan);
    expect(second).toEqual({ id: first.id, isNew: false });
    await world.run(10 * MINUTE_MS);
    const promoted = world.events().filter(({ detailType }) => detailType === 'Release Promoted');
    expect(promoted.map(({ detail }) => detail.reply)).toEqual([{ callback: 'a' }, { callback: 'b' }]);
    expect(new Set(promoted.map(({ detail }) => detail.id)).size).toBe(2);
  });

  it('of a version that goes back already is another release, which waits until it has', async () => {
    const world = createWorld({ applications: [slow] });
    const first = await world.start('v2', 'd1');
    await world.advance();
    await world.command(first, 'abort');
    const second = await world.start('v2', 'd2');
    expect(second).not.toBe(first);
    await world.advance();
    expect((await world.release(first)).phase).toBe('rolled-back');
    await world.run(10 * MINUTE_MS);
    expect((await world.release(second)).phase).toBe('promoted');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', weight: 0 });
  });

  it('while another is active waits for it; a newer one takes the place of one that waits', async () => {
    const world = createWorld({ applications: [slow] });
    const first = await world.start('v2');
    await world.advance();
    const second = await world.start('v3');
    const third = await world.start('v4');
    await world.advance();
    expect((await world.release(second)).phase).toBe('cancelled');
    expect((await world.release(third)).phase).toBe('queued');
    await world.run(6 * MINUTE_MS);
    expect((await world.release(first)).phase).toBe('promoted');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', canary: 'v4', weight: 10 });
    await world.run(6 * MINUTE_MS);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v4', weight: 0 });
  });

  it('that ends the one before it where the environment says so', async () => {
    const world = createWorld({ applications: [shop('onNewer: supersede\nstrategy: { canary: Canary10Percent5Minutes }')] });
    const first = await world.start('v2');
    await world.advance();
    const second = await world.start('v3');
    await world.advance();
    expect((await world.release(first)).outcome).toBe('superseded by v3');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', canary: 'v3', weight: 10 });
    expect((await world.release(second)).phase).toBe('progressing');
  });

  it('by many at once leaves one active, one that waits, and the rest over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('v2', 'v3', 'v4', 'v5'), { minLength: 2, maxLength: 8 }), async (versions) => {
        const world = createWorld({ applications: [slow] });
        const ids = await Promise.all(versions.map((version, i) => world.start(version, `d${i}`)));
        await world.advance();
        const releases = await Promise.all([...new Set(ids)].map(world.release));
        const count = (phase: string) => releases.filter((each) => each.phase === phase).length;
        expect(count('progressing')).toBe(1);
        expect(count('queued')).toBeLessThanOrEqual(1);
        const live = releases.filter(({ phase }) => phase !== 'cancelled').map(({ version }) => version);
        expect(new Set(live).size).toBe(live.length);
      }),
      { numRuns: 50 },
    );
  });

  it('comes to one release whatever fault it meets, when it is asked for again', async () => {
    for (const fault of FAULTS) {
      for (let number = 1; number <= 8; number++) {
        const world = createWorld({ applications: [slow] });
        const { deps, settle } = world.open(faultAt(number, fault));
        await startRelease(deps, ...world.request('v2')).catch(() => undefined);
        await startRelease(world.deps, ...world.request('v2'));
        await settle();
        expect(world.table.items().filter(({ pk }) => pk === 'releases/default')).toHaveLength(1);
      }
    }
  });

  it('of a version that has all traffic already ends at once', async () => {
    const world = createWorld({ applications: [slow] });
    const id = await world.start('v1');
    await world.advance();
    expect((await world.release(id)).outcome).toBe('v1 has all traffic of production already');
    expect(world.traffic.changes).toEqual([]);
  });
});

describe('versions', () => {
  const of = { tenant: 'default', application: 'shop' };
  const version = { version: 'v2', commit: 'c', seenAtMs: 1 };

  it('get to be known better, and are never another', async () => {
    const table = createMemoryTable();
    await registerVersion(table, of, version);
    await registerVersion(table, of, { ...version, artifactDigest: 'sha256:aa', sbomUrl: 'https://a/sbom', seenAtMs: 2 });
    expect(await findVersion(table, of, 'v2')).toEqual({ ...version, artifactDigest: 'sha256:aa', sbomUrl: 'https://a/sbom' });
    await expect(registerVersion(table, of, { ...version, artifactDigest: 'sha256:bb' })).rejects.toMatchObject({ kind: 'conflict' });
    await expect(registerVersion(table, of, { ...version, commit: 'd' })).rejects.toMatchObject({ kind: 'conflict' });
  });
});

describe('what CI says', () => {
  const take = (world: ReturnType<typeof createWorld>, more: Partial<CiReport>) =>
    takeReport(world.deps, 'default', report(more), world.clock.nowMs);
  const unit = { check: { name: 'unit', kind: 'other', state: 'success' } } as const;
  const smoke = { check: { name: 'smoke', kind: 'smoke', state: 'success' } } as const;

  it('walks a version through its environments', async () => {
    const world = createWorld({ applications: [walked] });
    const { releases } = await take(world, { environment: 'staging', version: 'v2', reply: { callbackUrl: 'https://x' } });
    await world.advance();
    expect((await world.release(releases[0] ?? '')).gates).toMatchObject([
      { state: 'shut', sentence: 'of c0ffee: unit has not been posted' },
    ]);
    await take(world, { delivery: 'd2', kind: 'check-reported', ...unit });
    await world.advance();
    expect(world.traffic.at('shop/staging').weight).toBe(100);
    await take(world, { delivery: 'd3', kind: 'check-reported', ...smoke });
    await world.advance();
    expect(world.traffic.at('shop/staging')).toEqual({ stable: 'v2', weight: 0 });
    const inProduction = JSON.parse(String(world.table.items().find(({ environment }) => environment === 'production')?.release));
    await world.advance();
    expect((await world.release(inProduction.id)).gates.map(({ state }) => state)).toEqual(['open', 'open', 'shut']);
    expect((await take(world, { delivery: 'd4', kind: 'approved', environment: 'production', actor: 'ann' })).releases).toEqual([
      inProduction.id,
    ]);
    await world.advance();
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', weight: 0 });
    const promoted = world.events().filter(({ detailType }) => detailType === 'Release Promoted');
    expect(promoted.find(({ detail }) => detail.environment === 'staging')?.detail).toMatchObject({
      reply: { callbackUrl: 'https://x' },
      state: 'promoted',
    });
  });

  it('is taken once, however often it is delivered', async () => {
    const world = createWorld({ applications: [walked] });
    const first = await take(world, { environment: 'staging' });
    expect(first).toMatchObject({ isRepeated: false, releases: [expect.any(String)] });
    expect(await take(world, { environment: 'staging' })).toEqual({ isRepeated: true, releases: [], refusals: [] });
  });

  it('in any order comes to the same checks', async () => {
    const reports = [
      report({
        delivery: 'a',
        kind: 'check-reported',
        check: { name: 'unit', kind: 'other', state: 'pending' },
        occurredAt: '2026-11-25T11:00:00Z',
      }),
      report({
        delivery: 'b',
        kind: 'check-reported',
        check: { name: 'unit', kind: 'other', state: 'failure' },
        occurredAt: '2026-11-25T11:01:00Z',
      }),
      report({
        delivery: 'c',
        kind: 'check-reported',
        check: { name: 'unit', kind: 'other', state: 'success' },
        occurredAt: '2026-11-25T11:05:00Z',
      }),
    ];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...reports, ...reports], { minLength: 6 }), async (told) => {
        const world = createWorld({ applications: [walked] });
        for (const each of told) await takeReport(world.deps, 'default', each, START_MS);
        expect(await readChecks(world.table, { tenant: 'default', application: 'shop', commit: 'c0ffee' })).toMatchObject([
          { state: 'success' },
        ]);
      }),
    );
  });

  it('from a clock that is ahead does not outdo what comes later', async () => {
    const world = createWorld({ applications: [walked] });
    await take(world, { delivery: 'a', kind: 'check-reported', ...unit, occurredAt: '2099-01-01T00:00:00Z' });
    world.passMs(MINUTE_MS);
    await take(world, { delivery: 'b', kind: 'check-reported', check: { name: 'unit', kind: 'other', state: 'failure' } });
    expect(await readChecks(world.table, { tenant: 'default', application: 'shop', commit: 'c0ffee' })).toMatchObject([
      { state: 'failure' },
    ]);
  });

  it.each([
    ['of a repository that is nobody\u2019s', { repository: 'evil/shop' }, 'no application here is of evil/shop'],
    ['for an environment that there is not', { environment: 'moon' }, 'shop has no environment moon'],
    ['for one that is not started on request', { environment: 'production' }, 'shop in production is not started on request'],
    [
      'of a branch that is not released',
      { environment: 'staging', ref: 'feature/x' },
      'feature/x is none that shop is released from: main, release/*',
    ],
    ['of an application that is another\u2019s', { application: 'other' }, 'no application here is of acme/shop'],
  ])('%s is refused, in words, to who asked', async (_, more, sentence) => {
    const world = createWorld({ applications: [walked] });
    const taken = await take(world, { ...more, reply: { callbackUrl: 'https://x' } });
    expect(taken).toMatchObject({ releases: [], refusals: [sentence] });
    const isConfigured = !sentence.startsWith('no application') && !sentence.includes('has no environment');
    const detail = { sentence, isConfigured, reply: { callbackUrl: 'https://x' } };
    expect(world.events()).toMatchObject([{ detailType: 'Release Refused', detail }]);
  });

  it('a version that was seen starts where that is asked for', async () => {
    const world = createWorld({ applications: [walked] });
    const { releases } = await take(world, { kind: 'version-seen', version: 'v7', ref: 'release/7', artifactDigest: 'sha256:aa' });
    expect(await world.release(releases[0] ?? '')).toMatchObject({ environment: 'preview', version: 'v7', artifactDigest: 'sha256:aa' });
    expect(
      await take(world, { delivery: 'd9', kind: 'version-seen', version: 'v7', ref: 'main', artifactDigest: 'sha256:bb' }),
    ).toMatchObject({
      releases: [],
      refusals: ['version v7 has the artifactDigest sha256:aa and cannot have sha256:bb'],
    });
  });

  it('an approval that comes early approves nothing', async () => {
    const world = createWorld({ applications: [walked] });
    await take(world, { environment: 'staging' });
    expect(await take(world, { delivery: 'd5', kind: 'approved', actor: 'ann' })).toMatchObject({
      releases: [],
      refusals: [expect.stringContaining('nothing to approve')],
    });
  });

  it('a rejection ends the release', async () => {
    const world = createWorld({ applications: [walked] });
    const { releases } = await take(world, { environment: 'staging' });
    await world.advance();
    await take(world, { delivery: 'd5', kind: 'rejected', actor: 'ann' });
    expect(await world.release(releases[0] ?? '')).toMatchObject({ phase: 'cancelled', outcome: 'rejected by ann: at github' });
  });
});
