import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { judgeChecks } from '#releases/gates/observe-gates.ts';
import { laterCheck, recordCheck } from '#releases/release/checks.ts';
import { createWorld, shop } from '#test/releases/run/release-world.ts';

const PLACE = 'shop/production';
const gated = (gates: string) =>
  createWorld({ applications: [shop(`strategy: { canary: { steps: [{ weight: 10, after: [${gates}] }] } }`)] });

async function gateOf(world: ReturnType<typeof createWorld>, id: string) {
  await world.advance();
  const [gate] = (await world.release(id)).gates;
  return gate && `${gate.state}: ${gate.sentence}`;
}

describe('a gate says why it is open or shut', () => {
  it('alerts that fire, and opens when they are over', async () => {
    const world = gated('{ alerts: { severity: page } }');
    world.world.firing = ['Down', 'Slow', 'Down'];
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe('failed: firing: Down, Slow');
    expect(world.traffic.at(PLACE).weight).toBe(10);
    world.world.firing = [];
    await world.advance();
    expect((await world.release(id)).phase).toBe('promoted');
  });

  it('alerts that fire take a release back where the gate says so', async () => {
    const world = gated('{ alerts: {}, otherwise: rollback }');
    world.world.firing = ['Down'];
    const id = await world.start('v2');
    await world.advance();
    const { phase, outcome } = await world.release(id);
    expect([phase, outcome]).toEqual(['rolled-back', 'alerts of the service: firing: Down']);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
  });

  it.each([
    ['enough of it', 0.5, undefined],
    ['too little', 0.0999, 'failed: 10 % is left, and 20 % has to be'],
    ['overspent', -0.3, 'failed: -30 % is left, and 20 % has to be'],
    ['not known', undefined, 'shut: how much is left is not known'],
    ['not to be asked', new OpsError('unavailable', 'no answer'), 'shut: cannot be asked: no answer'],
    ['of no SLO', new OpsError('missing', 'there is no SLO x'), 'shut: cannot be asked: there is no SLO x'],
  ])('an error budget: %s', async (_, budget, expected) => {
    const world = gated('{ sloBudget: { slo: x, atLeast: 20 } }');
    world.world.budget = budget;
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe(expected);
    expect((await world.release(id)).phase).toBe(expected === undefined ? 'promoted' : 'progressing');
  });

  it('a freeze, by its name and why', async () => {
    const world = gated('{ freeze: [weekend] }');
    world.clock.nowMs = Date.parse('2026-11-29T23:50:00Z');
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe('shut: the freeze weekend is on: people sleep');
    await world.run(20 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
  });

  it('approvals, of those who may, each of them once', async () => {
    const world = gated('{ approval: { by: [ann, bob, eve], count: 2 } }');
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe('shut: 0 of 2 approvals of ann, bob, eve');
    await expect(world.command(id, 'approve', { actor: 'mallory' })).rejects.toThrow(/mallory may not approve .* these may: ann, bob, eve/);
    await world.command(id, 'approve');
    await world.command(id, 'approve');
    expect(await gateOf(world, id)).toBe('shut: 1 of 2 approvals of ann, bob, eve: ann');
    await world.command(id, 'approve', { actor: 'bob' });
    await world.advance();
    expect((await world.release(id)).phase).toBe('promoted');
  });

  it('a rejection ends it', async () => {
    const world = gated('{ approval: {} }');
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'reject', { why: 'not today' });
    await world.advance();
    const { phase, outcome } = await world.release(id);
    expect([phase, outcome]).toEqual(['rolled-back', 'rejected by ann: not today']);
  });

  it('a webhook: 2xx opens, anything else is asked again, and too often is a failure', async () => {
    const world = gated(
      "{ webhook: { url: 'https://gate.example.org/x?key=s', failureLimit: 3, headers: { authorization: secret } }, otherwise: rollback }",
    );
    world.outgoing.script({ status: 503 }, new OpsError('unavailable', 'no connection'), { status: 404 }, { status: 204 });
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe('shut: webhook gate.example.org answered 503, 1 of 3 in a row; asked each 1m');
    expect(world.outgoing.sent).toHaveLength(1);
    await world.run(4 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
    const [first, second, again] = world.outgoing.sent.map(({ headers }) => headers['idempotency-key']);
    expect(second).toBe(again);
    expect(first).not.toBe(second);
    expect(JSON.parse(world.outgoing.sent[0]?.body ?? '')).toMatchObject({ release: id, version: 'v2', step: 1, weight: 10 });
  });

  it('a webhook that says no again and again takes a release back', async () => {
    const world = gated("{ webhook: { url: 'https://gate.example.org', failureLimit: 2 }, otherwise: rollback }");
    world.outgoing.script(...Array.from({ length: 10 }, () => ({ status: 500 })));
    const id = await world.start('v2');
    await world.run(5 * MINUTE_MS);
    expect((await world.release(id)).outcome).toContain('answered 500, 2 of 2 in a row');
  });

  it('what has to be known of the artifact', async () => {
    const world = gated('{ artifact: [digest, sbom] }');
    const id = await world.start('v2');
    expect(await gateOf(world, id)).toBe('shut: the version has no digest and no sbom');
  });

  it('checks of the commit', async () => {
    const world = gated('{ checks: [smoke, deep], otherwise: rollback }');
    const id = await world.start('v2');
    const of = { tenant: 'default', application: 'shop', commit: 'commit-v2' };
    const check = (name: string, kind: 'smoke' | 'other', state: 'pending' | 'success' | 'failure', atMs: number) =>
      recordCheck(world.table, of, { name, kind, state, atMs });
    expect(await gateOf(world, id)).toBe('shut: of commit-v2: smoke has not been posted, deep has not been posted');
    await check('smoke / eu', 'smoke', 'success', 2);
    await check('smoke / us', 'smoke', 'pending', 2);
    await check('deep', 'other', 'success', 2);
    expect(await gateOf(world, id)).toBe('shut: of commit-v2: smoke is pending');
    await check('smoke / us', 'smoke', 'success', 3);
    await world.advance();
    expect((await world.release(id)).phase).toBe('promoted');
  });
});

describe('checks', () => {
  const at = (state: 'pending' | 'success' | 'failure', atMs: number) => ({ name: 'a', kind: 'smoke' as const, state, atMs });

  it.each([
    ['the later report counts, whenever it comes', [at('failure', 2), at('success', 1)], 'failure'],
    ['a check that was run again', [at('failure', 1), at('success', 2)], 'success'],
    ['what is over counts before what begins at the same time', [at('success', 1), at('pending', 1)], 'success'],
    ['of two ends at one time the worse', [at('success', 1), at('failure', 1)], 'failure'],
  ])('%s', (_, told, expected) => {
    for (const order of [told, [...told].reverse()]) {
      expect(
        order.reduce<ReturnType<typeof at> | undefined>((known, each) => laterCheck(known, each) as ReturnType<typeof at>, undefined)
          ?.state,
      ).toBe(expected);
    }
  });

  it('of no commit are none', () => {
    expect(judgeChecks(['a'], '', [])).toEqual({ state: 'shut', sentence: 'the version has no commit that checks could be of' });
  });

  it('that failed say so before any that is missing', () => {
    expect(judgeChecks(['a', 'b'], 'c', [at('failure', 1)])).toEqual({ state: 'failed', sentence: 'failed: a' });
  });
});
