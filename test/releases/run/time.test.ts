import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { createWorld, shop } from './release-world.ts';

const PLACE = 'shop/production';
const canary = shop('strategy: { canary: { steps: [{ weight: 10, pause: 1m, after: [{ analysis: errors, interval: 30s }] }] } }');

describe('a clock that jumps', () => {
  it.each([
    ['a month forward', 30 * DAY_MS],
    ['a day back', -DAY_MS],
  ])('%s shortens no pause, and misses none', async (_, jumpMs) => {
    const world = createWorld({ applications: [shop('strategy: { canary: { steps: [{ weight: 10, pause: 10m }] } }')] });
    const id = await world.start('v2');
    await world.advance();
    await world.run(MINUTE_MS);
    world.passMs(jumpMs);
    await world.advance();
    await world.run(6 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('progressing');
    expect(world.traffic.at(PLACE).weight).toBe(10);
    await world.run(4 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
  });

  it('forward is no deadline that has passed, and back keeps no look waiting', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.run(2 * MINUTE_MS);
    world.passMs(365 * DAY_MS);
    await world.run(2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('progressing');
    const { length } = world.looks;
    world.passMs(-DAY_MS);
    world.world.verdict = 'pass';
    await world.run(5 * MINUTE_MS);
    expect(world.looks.length).toBeGreaterThan(length);
    expect((await world.release(id)).phase).toBe('promoted');
  });
});

describe('events of a release', () => {
  it('are told in the order of their times, whatever the clock says: an answer is never taken for older than what it ends', async () => {
    const world = createWorld({ applications: [shop('strategy: { canary: { steps: [{ weight: 10, pause: 1m }] } }')] });
    const id = await world.start('v2');
    await world.advance();
    for (let i = 0; i < 8; i++) {
      await world.command(id, 'pause');
      await world.command(id, 'resume');
    }
    world.passMs(-DAY_MS);
    await world.run(3 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
    const told = world
      .events()
      .map(({ detailType, detail }) => ({ detailType, atMs: Date.parse(String(detail.at)), id: String(detail.id) }));
    const inOrder = told.toSorted((a, b) => Number(a.id.split('-').at(-1)) - Number(b.id.split('-').at(-1)));
    expect(inOrder.at(-1)?.detailType).toBe('Release Promoted');
    expect(inOrder.every(({ atMs }, i) => i === 0 || atMs > (inOrder[i - 1]?.atMs ?? 0))).toBe(true);
  });
});

describe('metrics that are not there', () => {
  it('never promote: a canary without traffic goes back when its deadline has passed', async () => {
    const world = createWorld({ applications: [canary] });
    world.world.verdict = 'inconclusive';
    const id = await world.start('v2');
    await world.run(23 * HOUR_MS, 2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('progressing');
    expect(world.traffic.at(PLACE).weight).toBe(10);
    const waiting = world.events().filter(({ detailType }) => detailType === 'Release Waiting');
    expect(waiting.map(({ detail }) => detail.sentence)).toEqual([
      'shop v2 in production waits for analysis errors: inconclusive: it is inconclusive',
    ]);
    await world.run(2 * HOUR_MS, 2 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
  });

  it('in mid-canary are asked for again, the same look with the same times, until they are there', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.run(MINUTE_MS);
    const before = world.looks.length;
    world.world.verdict = new OpsError('unavailable', 'the store does not answer');
    await world.run(5 * MINUTE_MS);
    const failed = world.looks.slice(before).map(({ look, toMs }) => `${look} ${toMs}`);
    expect(failed.length).toBeGreaterThan(2);
    expect(new Set(failed).size).toBe(1);
    expect((await world.release(id)).gates.map(({ state, sentence }) => `${state}: ${sentence}`)).toContainEqual(
      expect.stringMatching(/^shut: look \d+ cannot be had \(\d+ tries\): the store does not answer$/),
    );
    world.world.verdict = 'pass';
    await world.run(10 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
    expect(world.looks.map(({ look }) => look).filter((look, i, all) => look !== all[i - 1])).toEqual([
      ...new Set(world.looks.map(({ look }) => look)),
    ]);
  });
});
