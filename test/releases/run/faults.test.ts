import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import { CrashError, FAULTS, type Fault, faultAt } from '#ports/faulty.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { startRelease } from '#releases/run/start-release.ts';
import { createWorld, shop } from './release-world.ts';

const PLACE = 'shop/production';
const canary = shop(`
strategy:
  canary:
    steps:
      - { weight: 10, pause: 1m, after: [{ analysis: errors, interval: 30s }, { webhook: { url: 'https://gate.example.org/ok' } }] }
`);

/** A whole release, every minute by a process of its own; the first of them meets a fault. */
async function walk(verdict: 'pass' | 'fail', number: number, fault: Fault | undefined) {
  const world = createWorld({ applications: [canary] });
  world.world.verdict = verdict;
  const faulted = world.open(fault && faultAt(number, fault));
  let { deps } = faulted;
  const restart = (error: unknown) => {
    if (error instanceof CrashError) deps = world.deps;
    else if (!isOpsError(error)) throw error;
  };
  const [request, plan] = world.request('v2');
  for (let tries = 0; tries < 3; tries++) await startRelease(deps, request, plan).catch(restart);
  for (let times = 0; times < 6; times++) {
    await advanceReleases(deps).catch(restart);
    world.passMs(30 * SECOND_MS);
  }
  await faulted.settle();
  await world.run(30 * MINUTE_MS, MINUTE_MS);
  const releases = world.table.items().filter(({ pk }) => pk === 'releases/default');
  const history = releases.length === 1 ? await world.history(releases[0]?.sk ?? '') : [];
  return {
    calls: faulted.calls.length,
    end: {
      traffic: world.traffic.at(PLACE),
      changes: world.traffic.changes.map(({ by, to }) => `${by} ${JSON.stringify(to)}`),
      phases: releases.map(({ phase }) => phase),
      told: world
        .events()
        .map(({ detailType }) => detailType)
        .filter((name) => name !== 'Release Stuck')
        .sort(),
      // When a gate was seen open or shut depends on when it was looked at.
      history: history.filter(({ kind }) => kind !== 'trouble' && kind !== 'gate').map(({ kind }) => kind),
      left: world.table.items().filter(({ pk }) => pk === 'releases/_active').length,
    },
  };
}

describe.each(['pass', 'fail'] as const)('a release whose analysis says %s', (verdict) => {
  it('comes to the same end whatever call meets whatever fault', async () => {
    const { calls, end } = await walk(verdict, 0, undefined);
    expect(end.phases).toEqual([verdict === 'pass' ? 'promoted' : 'rolled-back']);
    expect(end.left).toBe(0);
    expect(calls).toBeGreaterThan(60);
    for (const fault of FAULTS) {
      const walks = Array.from({ length: calls }, (_, i) => walk(verdict, i + 1, fault));
      for (const [i, after] of (await Promise.all(walks)).entries()) expect(after.end, `${fault} at call ${i + 1}`).toEqual(end);
    }
  });
});

describe('a driver that cannot be reached', () => {
  const down = (name: string) => (/^traffic\.(shift|restore)/.test(name) ? 'fail-before' : undefined);

  it('keeps a release where it is, which says so, tries again ever more seldom, and goes on by itself', async () => {
    const world = createWorld({ applications: [canary] });
    world.world.verdict = 'pass';
    const id = await world.start('v2');
    const { deps, calls } = world.open(({ name }) => down(name));
    for (let second = 0; second < 600; second++) {
      await advanceReleases(deps);
      world.passMs(SECOND_MS);
    }
    expect(calls.filter(({ name }) => name === 'traffic.shift').length).toBeLessThan(12);
    const { trouble, phase, position } = await world.release(id);
    expect([phase, position, trouble?.attempts]).toEqual([
      'progressing',
      'shifting',
      calls.filter(({ name }) => name === 'traffic.shift').length,
    ]);
    const stuck = world.events().filter(({ detailType }) => detailType === 'Release Stuck');
    expect(stuck.map(({ detail }) => detail.attempts)).toEqual([2, 4, 8]);
    expect(stuck[0]?.detail.sentence).toContain('shop v2 in production stands still: fail-before injected');
    await world.run(20 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('promoted');
  });

  it('is asked for ever to take a failed version back', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.run(MINUTE_MS);
    expect(world.traffic.at(PLACE).weight).toBe(10);
    world.world.verdict = 'fail';
    const { deps } = world.open(({ name }) => down(name));
    for (let hour = 0; hour < 24 * 14; hour++) {
      await advanceReleases(deps);
      world.passMs(HOUR_MS);
    }
    expect((await world.release(id)).phase).toBe('rolling-back');
    expect(world.events().filter(({ detailType }) => detailType === 'Release Stuck').length).toBeGreaterThan(7);
    await world.run(10 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
  });

  it('retry does not wait for the next try', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    const { deps } = world.open(({ name }) => down(name));
    for (let i = 0; i < 8; i++) {
      await advanceReleases(deps);
      world.passMs(MINUTE_MS);
    }
    world.passMs(-30 * SECOND_MS);
    await world.advance();
    expect(world.traffic.at(PLACE).weight).toBe(0);
    await world.command(id, 'retry');
    await world.advance();
    expect(world.traffic.at(PLACE).weight).toBe(10);
  });

  it('a driver that is not there is said at once', async () => {
    const [driverless] = [shop('strategy: { canary: AllAtOnce }')];
    const world = createWorld({ applications: [driverless] });
    const id = await world.start('v2');
    await advanceReleases({ ...world.deps, drivers: () => undefined });
    expect((await world.release(id)).trouble?.sentence).toBe('there is no driver memory here');
    expect(world.events().map(({ detailType }) => detailType)).toContain('Release Stuck');
  });

  it('what can be done about a driver that is refused stands beside why', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    const refuse = () => {
      throw new OpsError('denied', '10.0.0.1 may not be reached', { hint: 'A setting allows it.' });
    };
    await advanceReleases({ ...world.deps, drivers: refuse });
    expect((await world.release(id)).trouble?.sentence).toBe('10.0.0.1 may not be reached (A setting allows it)');
  });
});

describe('a shift that takes effect late', () => {
  it('after the rollback is seen, and taken back', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    const slow = world.open(({ name }) => (name === 'traffic.shift' ? 'stall' : undefined));
    const hanging = advanceReleases(slow.deps);
    await slow.stalled;
    world.passMs(4 * MINUTE_MS); // its lease is over
    await world.command(id, 'abort');
    await world.advance();
    expect((await world.release(id)).phase).toBe('rolled-back');
    slow.release();
    await hanging;
    expect(world.traffic.at(PLACE).weight).toBe(10);
    await world.run(3 * MINUTE_MS);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
    const { phase } = await world.release(id);
    expect(phase).toBe('rolled-back');
    expect((await world.history(id)).map(({ sentence }) => sentence).join('\n')).toContain(
      'v2 has traffic again after it was rolled back: v2 10 %, v1 90 %',
    );
  });

  it('is taken back too where the same version waits to be released again', async () => {
    const world = createWorld({ applications: [canary] });
    world.world.verdict = 'pass';
    const id = await world.start('v2');
    const slow = world.open(({ name }) => (name === 'traffic.shift' ? 'stall' : undefined));
    const hanging = advanceReleases(slow.deps);
    await slow.stalled;
    world.passMs(4 * MINUTE_MS);
    await world.command(id, 'abort');
    await world.advance();
    slow.release();
    await hanging;
    const again = await world.command(id, 'retry');
    expect(world.traffic.at(PLACE).weight).toBe(10);
    await world.run(30 * MINUTE_MS);
    expect([(await world.release(id)).phase, (await world.release(again.id)).phase]).toEqual(['rolled-back', 'promoted']);
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', weight: 0 });
  });

  it('is not taken for that of another release of the same version', async () => {
    const world = createWorld({ applications: [canary] });
    world.world.verdict = 'pass';
    const id = await world.start('v2');
    await world.advance();
    await world.command(id, 'abort');
    await world.advance();
    const again = await world.command(id, 'retry');
    expect(again.id).not.toBe(id);
    expect((await world.command(id, 'retry')).id).toBe(again.id);
    await world.run(20 * MINUTE_MS);
    expect((await world.release(again.id)).phase).toBe('promoted');
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v2', weight: 0 });
  });
});

describe('somebody else who changes the traffic', () => {
  it('ends a release, and what they set stays', async () => {
    const world = createWorld({ applications: [canary] });
    world.world.verdict = 'pass';
    const id = await world.start('v2');
    await world.advance();
    world.traffic.set(PLACE, { stable: 'v9', weight: 0 });
    await world.run(10 * MINUTE_MS);
    expect((await world.release(id)).phase).toBe('rolled-back');
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v9', weight: 0 });
  });

  it('before it begins keeps it waiting, and says so', async () => {
    const world = createWorld({ applications: [canary] });
    world.traffic.set(PLACE, { stable: 'v1', canary: 'v8', weight: 30 });
    const id = await world.start('v2');
    await world.run(5 * MINUTE_MS);
    expect((await world.release(id)).trouble?.sentence).toBe('v8 has 30 % of the traffic already: somebody else is shifting it');
    expect(world.traffic.at(PLACE).canary).toBe('v8');
  });
});

describe('traffic that is looked at while a step is held', () => {
  it('ends a release within a minute when somebody else changes it', async () => {
    const world = createWorld({ applications: [canary] });
    const id = await world.start('v2');
    await world.advance();
    world.traffic.set(PLACE, { stable: 'v1', canary: 'v2', weight: 60 });
    await world.run(2 * MINUTE_MS);
    expect(await world.release(id)).toMatchObject({
      phase: 'rolled-back',
      outcome: 'somebody else has changed the traffic from v2 10 %, v1 90 % to v2 60 %, v1 40 %',
    });
    expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
  });
});

describe('a promoted release that is returned', () => {
  it('while the run that promoted it lets it rest is looked at all the same', async () => {
    const blueGreen = shop('strategy: { blueGreen: { keep: 1h } }');
    for (let number = 1; ; number++) {
      const world = createWorld({ applications: [blueGreen] });
      const id = await world.start('v2');
      const slow = world.open((call) => (call.number === number ? 'stall' : undefined));
      const running = advanceReleases(slow.deps);
      if (!(await Promise.race([slow.stalled.then(() => true), running.then(() => false)]))) break;
      world.passMs(4 * MINUTE_MS);
      await world.run(MINUTE_MS);
      await world.command(id, 'abort');
      slow.release();
      await running;
      await world.run(30 * MINUTE_MS);
      expect((await world.release(id)).phase, `stalled at ${number}`).toMatch(/rolled-back|cancelled/);
      expect(world.traffic.at(PLACE)).toEqual({ stable: 'v1', weight: 0 });
    }
  });
});
