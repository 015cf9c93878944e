import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { COMMIT, createAnswerWorld, deploymentReply, releaseEvent } from './answer-world.ts';
import { problem } from './github-server.ts';
import { NOW } from './signed-deliveries.ts';

const later = (minutes: number) => new Date(Date.parse('2026-11-23T12:00:00Z') + minutes * MINUTE_MS).toISOString();

describe('a protection rule', () => {
  it('is told what is waited for, and approved when the release is promoted', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const reply = world.rule();
    await process.record('Release Waiting', releaseEvent({ sentence: '@octocat, the gate is *shut*', reply }));
    expect(await process.send()).toEqual({ sent: 2, retried: 0, gaveUp: 0, superseded: 0 });
    const link = 'https://quarterdeck.example.com/api/releases/r1';
    expect(world.ruleState()).toEqual({
      environment: 'production',
      state: 'pending',
      comments: [`@\u200boctocat, the gate is \\*shut\\*\n\n${link}`],
    });
    await process.record('Release Promoted', releaseEvent({ id: 'e2', at: later(1), reply }));
    await process.send();
    expect(world.ruleState()).toMatchObject({ state: 'approved', comments: [expect.anything(), `All checks hold.\n\n${link}`] });
    expect(world.github.commits.get(COMMIT)?.map(({ context, state }) => [context, state])).toEqual([
      ['quarterdeck/shop/production', 'pending'],
      ['quarterdeck/shop/production', 'success'],
    ]);
  });

  it.each([
    ['Release Promoted', {}, 'approved'],
    ['Release Promoted', { environment: 'staging' }, 'pending'],
    ['Release Promoted', { decision: 'rejected' }, 'rejected'],
    ['Release Started', {}, 'pending'],
    ['Release Started', { decision: 'approved' }, 'approved'],
    ['Release Rolled Back', {}, 'rejected'],
    ['Release Rolled Back', { environment: 'staging' }, 'rejected'],
    ['Release Cancelled', {}, 'rejected'],
    ['Canary Step Due', {}, undefined],
  ] as const)('after %s %o is %s', async (detailType, fields, state) => {
    const world = createAnswerWorld();
    const process = world.start();
    await process.record(detailType, releaseEvent({ ...fields, reply: world.rule() }));
    await process.send();
    expect(world.ruleState()?.comments).toHaveLength(state === undefined ? 0 : 1);
    expect(world.ruleState()?.state).toBe(state ?? 'pending');
  });

  it('is told nothing that happened before what it was told', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const reply = world.rule();
    await process.record('Release Rolled Back', releaseEvent({ id: 'e3', at: later(2), reply }));
    expect(await process.record('Release Waiting', releaseEvent({ at: later(1), reply }))).toBe(0);
    await process.send();
    expect(await process.record('Release Promoted', releaseEvent({ id: 'e2', at: later(1), reply }))).toBe(0);
    await process.send();
    expect(world.ruleState()?.state).toBe('rejected');
  });

  it('is told at most nine things before the decision', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const reply = world.rule();
    for (let i = 0; i < 15; i++) {
      await process.record('Release Waiting', releaseEvent({ id: `w${i}`, at: later(i), sentence: `look ${i}`, reply }));
      await process.send();
    }
    await process.record('Release Promoted', releaseEvent({ id: 'p', at: later(20), reply }));
    await process.send();
    expect(world.ruleState()).toMatchObject({ state: 'approved', comments: { length: 10 } });
    expect(world.deadLetters()).toEqual([]);
  });

  it('of a reply that leads elsewhere gets nothing, and the App no token', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const callbackUrl = 'https://evil.example.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule';
    await process.record('Release Promoted', releaseEvent({ commit: 'unknown', reply: { ...world.rule(), callbackUrl, sha: '' } }));
    expect(await process.send()).toMatchObject({ sent: 0, gaveUp: 1 });
    expect(world.github.tokensMade()).toBe(0);
    expect(world.deadLetters()).toMatchObject([
      { from: 'answer to github-rule', error: expect.stringContaining('deployment_callback_url') },
    ]);
  });

  it('of another tenant than that of the App is not answered', async () => {
    const world = createAnswerWorld();
    expect(await world.start().record('Release Promoted', releaseEvent({ tenant: 'b', reply: world.rule() }))).toBe(0);
  });
});

describe('a deployment', () => {
  it('gets its statuses in the order of what happened, whatever order the events come in', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const reply = deploymentReply;
    for (const [detailType, id, minute] of [
      ['Release Waiting', 'e1', 0],
      ['Release Rolled Back', 'e3', 3],
      ['Release Started', 'e2', 2],
    ] as const) {
      await process.record(detailType, releaseEvent({ id, at: later(minute), reply }));
      await process.send();
    }
    expect(world.github.deployments.get('42')?.map(({ state }) => state)).toEqual(['queued', 'failure']);
  });

  it('is told the last of several things at once', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    await process.record('Release Started', releaseEvent({ reply: deploymentReply }));
    await process.record('Release Promoted', releaseEvent({ id: 'e2', at: later(1), reply: deploymentReply }));
    await process.send();
    expect(world.github.deployments.get('42')?.map(({ state }) => state)).toEqual(['success']);
  });

  it('is told nothing twice by an event that comes twice', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    for (let i = 0; i < 3; i++) {
      await process.record('Release Started', releaseEvent({ reply: deploymentReply }));
      await process.send();
    }
    expect(world.github.calls).toHaveLength(2);
  });
});

describe('tokens', () => {
  it('are asked for once for many answers, and anew before they end', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    for (let i = 0; i < 20; i++) {
      await process.record('Release Started', releaseEvent({ id: `s${i}`, reply: { ...deploymentReply, deploymentId: String(i) } }));
    }
    await process.send();
    expect(world.github.tokensMade()).toBe(1);
    for (const [minutes, made] of [
      [50, 1],
      [56, 2],
    ] as const) {
      world.clock.nowMs = NOW + minutes * MINUTE_MS;
      await process.record('Release Promoted', releaseEvent({ id: `p${minutes}`, at: later(minutes), reply: deploymentReply }));
      await process.send();
      expect(world.github.tokensMade()).toBe(made);
    }
  });

  it('that were withdrawn are replaced within the same try', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    await process.record('Release Started', releaseEvent({ reply: deploymentReply }));
    await process.send();
    world.github.withdrawTokens();
    await process.record('Release Promoted', releaseEvent({ id: 'e2', at: later(1), reply: deploymentReply }));
    expect(await process.send()).toMatchObject({ sent: 2, retried: 0 });
    expect(world.github.deployments.get('42')?.map(({ state }) => state)).toEqual(['in_progress', 'success']);
  });
});

describe('an API that cannot just now', () => {
  it.each([
    ['a secondary limit', () => problem(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '120' }), 2 * MINUTE_MS],
    ['a limit that names no time', () => problem(429, 'Too many requests'), MINUTE_MS],
    ['an hour that is used up', () => problem(403, 'API rate limit exceeded', usedUp(600)), 10 * MINUTE_MS],
  ])('is left alone after %s', async (_name, answer, waitMs) => {
    const world = createAnswerWorld();
    const process = world.start();
    for (let i = 0; i < 12; i++) {
      const reply = { ...deploymentReply, deploymentId: String(i), sha: '' };
      await process.record('Release Started', releaseEvent({ id: `s${i}`, commit: undefined, reply }));
    }
    world.github.script(...Array(8).fill(answer));
    expect(await process.send()).toMatchObject({ sent: 0, retried: 12 });
    const before = world.github.calls.length;
    expect(before).toBeLessThanOrEqual(8);
    world.clock.nowMs += waitMs - 2_000;
    await process.send();
    expect(world.github.calls).toHaveLength(before);
    world.clock.nowMs += 4_000;
    expect(await process.send()).toMatchObject({ sent: 12 });
  });

  it('is tried again with longer and longer pauses, and given up after a day', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    const startMs = world.clock.nowMs;
    const reply = { ...deploymentReply, sha: '' };
    await process.record('Release Started', releaseEvent({ commit: undefined, reply }));
    const down = () => problem(502, 'Server Error');
    let tries = 0;
    for (let i = 0; i < 2_000 && world.deadLetters().length === 0; i++) {
      world.github.script(down);
      await process.send();
      tries = world.github.calls.length;
      world.clock.nowMs += MINUTE_MS;
    }
    expect(world.deadLetters()).toMatchObject([
      { error: expect.stringMatching(/^not told in \d+ tries; the last: answered 502: .*Server Error/) },
    ]);
    expect(world.clock.nowMs - startMs).toBeGreaterThan(DAY_MS - HOUR_MS);
    expect(tries).toBeLessThan(500);
  });

  it('is told as soon as a clock that was a day ahead is right again', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    world.clock.nowMs = NOW + DAY_MS;
    await process.record('Release Started', releaseEvent({ reply: deploymentReply }));
    world.github.script(...Array(2).fill(() => problem(503, 'Service Unavailable')));
    expect(await process.send()).toMatchObject({ sent: 0, retried: 2 });
    world.clock.nowMs = NOW;
    expect(await process.send()).toMatchObject({ sent: 2 });
  });

  it('tells no credential to the dead letters', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    await process.record('Release Started', releaseEvent({ reply: { ...deploymentReply, installation: '816' } }));
    await process.record('Release Started', releaseEvent({ id: 'e2', reply: { ...deploymentReply, repository: 'octo-org/another' } }));
    expect(await process.send()).toMatchObject({ gaveUp: 4 });
    const letters = JSON.stringify(world.deadLetters());
    expect(letters).toContain('no token of installation 816: answered 404');
    expect(letters).not.toMatch(/ghs_|eyJ|PRIVATE KEY|Bearer/);
  });

  it('that refuses is not asked again', async () => {
    const world = createAnswerWorld();
    const process = world.start();
    await process.record('Release Started', releaseEvent({ reply: { ...deploymentReply, repository: 'octo-org/another' } }));
    expect(await process.send()).toMatchObject({ sent: 0, gaveUp: 2 });
    world.clock.nowMs += HOUR_MS;
    expect(await process.send()).toMatchObject({ sent: 0, gaveUp: 0 });
  });
});

function usedUp(seconds: number): Record<string, string> {
  return { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(NOW / 1_000) + seconds) };
}
