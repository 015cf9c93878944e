import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { createWorld, shop } from '#test/releases/run/release-world.ts';

const PLACE = 'shop/production';
const canary = shop(
  'strategy: { canary: { steps: [{ weight: 10, pause: 10m }, { weight: 50, pause: 10m, before: [{ approval: {} }] }] } }',
);
const judged = shop('strategy: { canary: { steps: [{ weight: 10, after: [{ analysis: errors, interval: 30s }] }] } }');
const blueGreen = shop('strategy: { blueGreen: { warm: 1m, bake: 5m, keep: 1h } }');

describe('pause', () => {
  it('keeps a release from its next step, and resume lets it go on', async () => {
    const world = createWorld({ applications: [shop('strategy: { canary: Canary10Percent5Minutes }')] });
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'pause', { why: 'lunch' });
    await world.command(id, 'pause');
    await world.run(48 * HOUR_MS, 2 * MINUTE_MS);
    expect(world.traffic.at(PLACE).weight).toBe(10);
    expect((await world.release(id)).paused).toMatchObject({ by: 'ann', why: 'lunch' });
    await world.command(id, 'resume');
    await world.advance();
    expect((await world.release(id)).phase).toBe('promoted');
    expect(world.events().map(({ detailType }) => detailType)).toEqual(expect.arrayContaining(['Release Paused', 'Release Resumed']));
  });

  it('does not keep a failure from taking it back', async () => {
    const world = createWorld({ applications: [judged] });
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'pause');
    world.world.verdict = 'fail';
    await world.run(2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
  });
});

describe('promote', () => {
  it('goes on with the next step over a pause and over gates, and history says over which', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'promote', { step: 1 });
    await world.advance();
    expect(world.traffic.at(PLACE).weight).toBe(10);
    await world.command(id, 'promote', { step: 2, why: 'urgent' });
    await world.advance();
    expect(world.traffic.at(PLACE).weight).toBe(50);
    expect((await world.history(id)).map(({ sentence }) => sentence)).toContain('step 2, canary 50 %, passed over approval by ann: urgent');
  });

  it('of a step that is over is refused, so that twice is once', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'promote', { step: 1 });
    await expect(world.command(id, 'promote', { step: 1 })).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('has nothing to do while traffic is shifted', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await expect(world.command(id, 'promote')).rejects.toThrow('is queued: there is nothing to promote');
  });
});

describe('abort', () => {
  it.each([
    ['before it is its turn', 0, 'cancelled'],
    ['in mid-canary', 1, 'rolled-back'],
  ])('%s', async (_, advances, phase) => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    for (let i = 0; i < advances; i++) await world.advance();
    await world.command(id, 'abort');
    await world.command(id, 'abort');
    await world.advance();
    await world.command(id, 'abort');
    expect((await world.release(id)).phase).toBe(phase);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
    await world.run(HOUR_MS);
    expect(world.table.items().filter(({ pk }) => pk === 'releases/_active')).toEqual([]);
  });

  it('returns what was promoted, for as long as the old version is kept', async () => {
    const world = createWorld({ applications: [blueGreen] });
    const id = await world.start('v2');
    await world.advance();
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', canary: 'v2', weight: 0 });
    await world.run(10 * MINUTE_MS);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', weight: 0 });
    await world.command(id, 'abort', { why: 'customers complain' });
    await world.advance();
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
    expect(await world.release(id)).toMatchObject({ phase: 'rolled-back', outcome: 'returned to v1 by ann: customers complain' });
    expect(world.table.items().filter(({ pk }) => pk.startsWith('releases/promoted/'))).toEqual([]);
  });

  it('does not return it later, nor under a newer release', async () => {
    const world = createWorld({ applications: [blueGreen] });
    const id = await world.start('v2');
    await world.run(10 * MINUTE_MS);
    await world.start('v3');
    await expect(world.command(id, 'abort')).rejects.toMatchObject({ kind: 'conflict' });
    await world.run(2 * HOUR_MS, 2 * MINUTE_MS);
    await expect(world.command(id, 'abort')).rejects.toThrow('is kept no longer');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v3', weight: 0 });
  });
});

describe('retry', () => {
  it('begins an inconclusive analysis anew', async () => {
    const world = createWorld({ applications: [judged] });
    world.world.verdict = 'inconclusive';
    const id = await world.start('v2');
    await world.run(2 * MINUTE_MS);
    world.world.verdict = 'pass';
    await world.run(5 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('progressing');
    await world.command(id, 'retry');
    await world.run(MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
    expect(world.looks.map(({ look, state }) => [look, state])).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
  });

  it('has nothing to do where nothing failed', async () => {
    const world = createWorld({ applications: [judged] });
    const id = await world.start('v2');
    await world.advance();
    await expect(world.command(id, 'retry')).rejects.toMatchObject({ kind: 'conflict' });
  });
});

describe('an analysis', () => {
  it('looks at whole times since the canary got its traffic, one look after the other, each with what the last has left', async () => {
    const world = createWorld({ applications: [judged] });
    await world.start('v2');
    await world.run(3 * MINUTE_MS);
    const [first] = world.looks;
    expect(world.looks.map(({ look }) => look)).toEqual([1, 2, 3, 4, 5].slice(0, world.looks.length));
    expect(world.looks.length).toBeGreaterThan(3);
    expect(world.looks.map(({ state }) => state)).toEqual([undefined, ...world.looks.slice(1).map((_, i) => ({ look: i + 1 }))]);
    expect(new Set(world.looks.map(({ fromMs }) => fromMs)).size).toBe(1);
    expect(first?.variables).toMatchObject({ canary: 'v2', stable: 'v1', application: 'shop', environment: 'production' });
  });

  it('in the background goes on from step to step, takes back at any, and lets nothing be promoted that it has not passed', async () => {
    const world = createWorld({
      applications: [
        shop(
          'background: [errors]\nstrategy: { canary: { steps: [{ weight: 10, pause: 2m }, { weight: 50, pause: 2m, before: [{ approval: {} }] }] } }',
        ),
      ],
    });
    const id = await world.start('v2');
    await world.run(10 * MINUTE_MS);
    const atGate = world.looks.length;
    expect(atGate).toBeGreaterThan(5);
    await world.command(id, 'approve');
    await world.run(10 * MINUTE_MS);
    expect(world.traffic.at(PLACE).weight).toBe(50);
    expect(world.looks.map(({ look }) => look)).toEqual(world.looks.map((_, i) => i + 1));
    expect((await world.release(id)).phase).toBe('progressing');
    world.world.verdict = 'fail';
    await world.run(2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
  });

  it('in the background that has passed while there was something to compare with is asked no more when there is not', async () => {
    const world = createWorld({ applications: [shop('background: [errors]\nstrategy: { canary: Canary10Percent5Minutes }')] });
    world.world.verdict = 'pass';
    const id = await world.start('v2');
    await world.run(5 * MINUTE_MS);
    world.world.verdict = 'inconclusive';
    await world.run(5 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
  });
});
