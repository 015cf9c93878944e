import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Verdict } from '#model/judgement.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { endRollout } from '#releases/kubernetes/end-rollout.ts';
import type { LookRecord } from '#releases/kubernetes/rollout-store.ts';
import { planLook, takeLook } from '#releases/kubernetes/take-look.ts';
import { createRolloutWorld, lookRequest, MINUTE, NOW, ROLLOUT } from './rollout-world.ts';

const JUDGED = 'Kubernetes Canary Judged';

function record(verdict: Verdict, more: Partial<LookRecord> = {}, look = 3, looks?: number): LookRecord {
  return {
    ...{ application: 'shop', analysis: 'golden', commitId: 'c', afterEnd: '', fromMs: NOW - 5 * MINUTE, lookAtMs: NOW - MINUTE },
    ...{ calledAtMs: NOW - MINUTE, summary: { verdict, sentence: '', look, looks, numbers: {} }, state: null },
    ...more,
  };
}

describe('planLook', () => {
  const ended = { commitId: 'e', phase: 'Succeeded', endedAtMs: NOW };
  const at = (lookAtMs: number) => ({ lookAtMs, calledAtMs: lookAtMs });
  const first = { kind: 'look', isFirst: true, fromMs: NOW - MINUTE };
  const next = { kind: 'look', isFirst: false, fromMs: NOW - 5 * MINUTE };
  const same = { kind: 'answer' };
  it.each([
    ['nobody has looked', { looks: [] }, first],
    ['another analysis has looked', { looks: [record('continue', { analysis: 'other' })] }, first],
    ['another application has', { looks: [record('continue', { application: 'other' })] }, first],
    ['the last look is an interval ago', { looks: [record('continue')] }, next],
    ['the last look is a little less than an interval ago', { looks: [record('continue', at(NOW - MINUTE + 900))] }, next],
    ['the last look is a moment ago', { looks: [record('continue', at(NOW - 2_000))] }, same],
    ['the last look is at the same time', { looks: [record('fail', at(NOW))] }, same],
    ['it has failed', { looks: [record('fail')] }, same],
    ['it was inconclusive, which may pass', { looks: [record('inconclusive')] }, next],
    ['it has passed, and looks are left', { looks: [record('pass', {}, 3, 10)] }, next],
    ['it has passed, and nobody knows how many looks there are', { looks: [record('pass')] }, next],
    ['it has passed at the last look', { looks: [record('pass', {}, 10, 10)] }, same],
    ['it had failed before the rollout ended', { looks: [record('fail')], ended }, first],
    ['it ended before these looks', { looks: [record('fail', { afterEnd: 'e' })], ended }, same],
    ['nobody has called for hours', { looks: [record('fail', at(NOW - 3 * 60 * MINUTE))] }, first],
    ['the clock has gone back a little', { looks: [record('continue', at(NOW + 2_000))] }, same],
    ['the clock has gone back far', { looks: [record('continue', at(NOW + 60 * MINUTE))] }, next],
  ])('where %s', (_, records, expected) => expect(planLook(records, lookRequest(), NOW)).toMatchObject(expected));
});

describe('takeLook', () => {
  it('looks once an interval, each look knowing what the one before gave', async () => {
    const { clock, deps, asked, events } = createRolloutWorld(['continue', 'continue', 'pass']);
    const verdicts: string[] = [];
    for (let minute = 0; minute < 3; minute++) {
      verdicts.push((await takeLook(deps, lookRequest())).verdict);
      clock.nowMs += MINUTE + (minute - 1) * 300;
    }
    expect(verdicts).toEqual(['continue', 'continue', 'pass']);
    expect(asked.map(({ look, state }) => [look, state])).toEqual([
      [1, undefined],
      [2, { seen: 1 }],
      [3, { seen: 2 }],
    ]);
    expect(asked.every(({ fromMs }) => fromMs === NOW - MINUTE)).toBe(true);
    expect(asked[0]).toMatchObject({ tenant: 'a', analysis: { named: 'golden' }, variables: { canary: 'podinfo' }, toMs: NOW });
    expect(events(JUDGED).map(({ detail }) => [detail.look, detail.verdict])).toEqual([
      [1, 'continue'],
      [2, 'continue'],
      [3, 'pass'],
    ]);
  });

  it('keeps numbers that are some, of the metric that decided', async () => {
    const { deps } = createRolloutWorld(['fail']);
    expect(await takeLook(deps, lookRequest())).toMatchObject({ metric: 'latency', numbers: { estimate: 0.25, lower: 0.1, upper: 0.4 } });
  });

  it('answers a call that is repeated with the look that it repeats', async () => {
    const { clock, deps, asked, events } = createRolloutWorld(['fail', 'pass']);
    const told = await takeLook(deps, lookRequest());
    clock.nowMs += 3_000;
    expect(await takeLook(deps, lookRequest())).toEqual(told);
    expect([asked.length, events(JUDGED).length]).toEqual([1, 1]);
  });

  it('makes of calls at the same time one look, which all of them tell', async () => {
    const { deps, asked, events, table } = createRolloutWorld(['continue']);
    let number = 0;
    const analyze: typeof deps.analyze = async (request) => {
      const result = await deps.analyze(request);
      return { ...result, judgement: { ...result.judgement, sentence: `by call ${++number}` } };
    };
    const told = await Promise.all([1, 2, 3].map(() => takeLook({ ...deps, analyze }, lookRequest())));
    expect(new Set(told.map(({ sentence }) => sentence)).size).toBe(1);
    expect(asked.every(({ look }) => look === 1)).toBe(true);
    expect(events(JUDGED)).toHaveLength(1);
    expect(table.items().filter(({ pk }) => pk === 'releases/kubernetes/a')).toHaveLength(1);
  });

  it('makes one look of calls at the same time that take longer than the looks are apart', async () => {
    const { clock, deps, events } = createRolloutWorld(['continue']);
    const analyze: typeof deps.analyze = async (request) => {
      clock.nowMs += 3 * MINUTE;
      return deps.analyze(request);
    };
    const told = await Promise.all([1, 2, 3].map(() => takeLook({ ...deps, analyze }, lookRequest())));
    expect(told.map(({ look }) => look)).toEqual([1, 1, 1]);
    expect(events(JUDGED)).toHaveLength(1);
  });

  it('stays failed for as long as it is asked for, hours included, and begins anew after the end', async () => {
    const { clock, deps, asked } = createRolloutWorld(['fail']);
    for (let minute = 0; minute < 300; minute++) {
      expect((await takeLook(deps, lookRequest())).verdict).toBe('fail');
      clock.nowMs += MINUTE;
    }
    expect(asked).toHaveLength(1);
    await endRollout(deps, ROLLOUT, 'Failed');
    clock.nowMs += MINUTE;
    await takeLook(deps, lookRequest());
    expect(asked.at(-1)).toMatchObject({ look: 1, fromMs: clock.nowMs - MINUTE });
    expect(asked.at(-1)?.state).toBeUndefined();
  });

  it.each([
    ['tenants', { rollout: { ...ROLLOUT, tenant: 'b' } }],
    ['namespaces', { rollout: { ...ROLLOUT, namespace: 'test2' } }],
    ['canaries', { rollout: { ...ROLLOUT, name: 'podinfo2' } }],
    ['checksums', { rollout: { ...ROLLOUT, checksum: `${ROLLOUT.checksum}0` } }],
    ['applications', { application: 'shop2' }],
    ['analyses', { analysis: 'golden2' }],
  ])('keeps %s apart', async (_, other) => {
    const { deps, asked } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    await takeLook(deps, lookRequest(other));
    expect(asked.map(({ look }) => look)).toEqual([1, 1]);
  });

  it.each([
    ['telemetry that cannot be asked', new OpsError('unavailable', 'no answer')],
    ['queries that cannot be evaluated', new OpsError('input', 'no such function')],
  ])('keeps nothing of %s', async (_, error) => {
    const { deps, table } = createRolloutWorld([error]);
    await expect(takeLook(deps, lookRequest())).rejects.toBe(error);
    expect(table.items()).toEqual([]);
  });

  it('asks nothing of an analysis that is not there', async () => {
    const { deps, asked } = createRolloutWorld();
    const findAnalysis = async () => {
      throw new OpsError('missing', 'no such analysis');
    };
    await expect(takeLook({ ...deps, findAnalysis }, lookRequest())).rejects.toThrow('no such analysis');
    expect(asked).toEqual([]);
  });

  describe.each(FAULTS)('with %s', (fault: Fault) => {
    it.each([1, 2, 3])('at call %i of the table, and Flagger calling again, makes one look and tells of it once', async (number) => {
      const { deps, table, events, clock } = createRolloutWorld(['continue', 'fail']);
      await takeLook(deps, lookRequest());
      clock.nowMs += MINUTE;
      const broken = faulty({ table }, faultAt(number, fault));
      const outcome = await takeLook({ ...deps, table: broken.ports.table }, lookRequest()).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome instanceof CrashError || isOpsError(outcome, 'unavailable')).toBe(true);
      await broken.settle();
      clock.nowMs += 2_000;
      expect(await takeLook(deps, lookRequest())).toMatchObject({ look: 2, verdict: 'fail' });
      expect(events(JUDGED).map(({ detail }) => detail.look)).toEqual([1, 2]);
    });
  });

  it('numbers looks without gaps, whatever comes when', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('calls' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 * MINUTE }) }),
      fc.record({ kind: fc.constant('end' as const), phase: fc.constantFrom('Succeeded', 'Failed') }),
    );
    const verdicts = fc.array(fc.constantFrom<Verdict>('continue', 'pass', 'inconclusive', 'fail'), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(verdicts, fc.array(step, { maxLength: 30 }), async (script, steps) => {
        const { clock, deps, events } = createRolloutWorld(script);
        let hasEnded = false;
        for (const one of steps) {
          if (one.kind === 'wait') clock.nowMs += one.ms;
          else if (one.kind === 'end') await endRollout(deps, ROLLOUT, one.phase);
          else {
            const told = await Promise.all(Array.from({ length: one.count }, () => takeLook(deps, lookRequest())));
            expect(new Set(told.map(({ look }) => look)).size).toBe(1);
            if (hasEnded) expect(told[0].look).toBe(1);
          }
          if (one.kind !== 'wait') hasEnded = one.kind === 'end';
        }
        const looks = events(JUDGED)
          .toSorted((x, y) => (String(x.detail.id) < String(y.detail.id) ? -1 : 1))
          .map(({ detail }) => Number(detail.look));
        expect(looks.every((look, i) => look === 1 || look === looks[i - 1] + 1)).toBe(true);
        const ends = steps.filter(({ kind }) => kind === 'end').length;
        expect(looks.filter((look) => look === 1).length).toBeLessThanOrEqual(ends + 1);
      }),
      { numRuns: 60 },
    );
  });
});
