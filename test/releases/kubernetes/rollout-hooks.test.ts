import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { FAULTS, type Fault, faultAt, faulty } from '#ports/faulty.ts';
import { askRollback } from '#releases/kubernetes/ask-rollback.ts';
import { confirmStage } from '#releases/kubernetes/confirm-stage.ts';
import { endRollout } from '#releases/kubernetes/end-rollout.ts';
import { FlaggerPayload, metadataField, readInterval, rolloutOf, variablesOf } from '#releases/kubernetes/flagger-payload.ts';
import type { GateAnswer } from '#releases/kubernetes/gates.ts';
import { summarizeJudgement } from '#releases/kubernetes/look-summary.ts';
import { reportEvent } from '#releases/kubernetes/report-event.ts';
import { takeLook } from '#releases/kubernetes/take-look.ts';
import { createRolloutWorld, judgement, lookRequest, MINUTE, NOW, ROLLOUT } from './rollout-world.ts';

const payload = (more: object = {}) => FlaggerPayload.parse({ name: 'podinfo', namespace: 'test', checksum: '85d557f47b', ...more });

describe('endRollout', () => {
  const ENDED = 'Kubernetes Rollout Ended';

  it('tells of an end once, with what the analyses said', async () => {
    const { deps, events, clock } = createRolloutWorld(['pass']);
    await takeLook(deps, lookRequest());
    expect(await endRollout(deps, ROLLOUT, 'Succeeded')).toBe(true);
    clock.nowMs += 1_000;
    expect(await endRollout(deps, ROLLOUT, 'Succeeded')).toBe(false);
    expect(events(ENDED).map(({ detail }) => detail)).toMatchObject([
      { ...ROLLOUT, phase: 'Succeeded', at: '2026-11-23T12:00:00.000Z', verdicts: { 'shop/golden': 'pass' } },
    ]);
  });

  it('tells of another end of the same checksum after it was rolled out again', async () => {
    const { deps, events } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    expect(await endRollout(deps, ROLLOUT, 'Failed')).toBe(true);
    await takeLook(deps, lookRequest());
    expect(await endRollout(deps, ROLLOUT, 'Failed')).toBe(true);
    expect(events(ENDED)).toHaveLength(2);
  });

  it('has of a second end nothing that was judged before the first, and takes it for one when it comes late', async () => {
    const { deps, events, clock } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    await endRollout(deps, ROLLOUT, 'Failed');
    clock.nowMs += 59 * MINUTE;
    expect(await endRollout(deps, ROLLOUT, 'Failed')).toBe(false);
    clock.nowMs += MINUTE;
    expect(await endRollout(deps, ROLLOUT, 'Failed')).toBe(true);
    expect(events(ENDED).map(({ detail }) => detail.verdicts)).toEqual([{ 'shop/golden': 'fail' }, {}]);
  });

  it('tells of an end in another phase, and of a rollout that nobody looked at', async () => {
    const { deps, events } = createRolloutWorld();
    expect(await endRollout(deps, ROLLOUT, 'Succeeded')).toBe(true);
    expect(await endRollout(deps, ROLLOUT, 'Failed')).toBe(true);
    expect(events(ENDED).map(({ detail }) => detail.phase)).toEqual(['Succeeded', 'Failed']);
  });

  it('is one end, however many say so at the same time', async () => {
    const { deps, events } = createRolloutWorld();
    const told = await Promise.all([1, 2, 3].map(() => endRollout(deps, ROLLOUT, 'Succeeded')));
    expect(told.filter((isNews) => isNews)).toHaveLength(1);
    expect(events(ENDED)).toHaveLength(1);
  });

  describe.each(FAULTS)('with %s', (fault: Fault) => {
    it.each([1, 2])('at call %i of the table, and Flagger calling again, is told of once', async (number) => {
      const { deps, table, events } = createRolloutWorld();
      const broken = faulty({ table }, faultAt(number, fault));
      await endRollout({ ...deps, table: broken.ports.table }, ROLLOUT, 'Failed').catch(() => undefined);
      await broken.settle();
      await endRollout(deps, ROLLOUT, 'Failed');
      expect(events(ENDED)).toHaveLength(1);
    });
  });
});

describe('askRollback', () => {
  const TOLD = 'Kubernetes Rollback Told';

  it.each(['continue', 'pass', 'inconclusive'] as const)('tells nobody to go back after %s', async (verdict) => {
    const { deps, events } = createRolloutWorld([verdict]);
    expect(await askRollback(deps, { rollout: ROLLOUT })).toBeUndefined();
    await takeLook(deps, lookRequest());
    expect(await askRollback(deps, { rollout: ROLLOUT })).toBeUndefined();
    expect(events(TOLD)).toEqual([]);
  });

  it('tells to go back after a failure, each time it is asked, and of that once', async () => {
    const { deps, events, clock } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    for (let second = 0; second < 3; second++) {
      clock.nowMs += 1_000;
      expect(await askRollback(deps, { rollout: ROLLOUT })).toMatchObject({ application: 'shop', analysis: 'golden' });
    }
    expect(events(TOLD).map(({ detail }) => detail)).toMatchObject([
      { ...ROLLOUT, application: 'shop', analysis: 'golden', sentence: 'latency is fail at look 1' },
    ]);
  });

  it.each([
    ['the analysis that failed', { analysis: 'golden' }, true],
    ['its application', { application: 'shop' }, true],
    ['another analysis', { analysis: 'other' }, false],
    ['another application', { application: 'other' }, false],
    ['another rollout', { rollout: { ...ROLLOUT, checksum: 'x' } }, false],
    ["another tenant's", { rollout: { ...ROLLOUT, tenant: 'b' } }, false],
  ])('asked of %s', async (_, question, expected) => {
    const { deps } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    expect((await askRollback(deps, { rollout: ROLLOUT, ...question })) !== undefined).toBe(expected);
  });

  it('forgets a failure with the end of its rollout', async () => {
    const { deps } = createRolloutWorld(['fail']);
    await takeLook(deps, lookRequest());
    await endRollout(deps, ROLLOUT, 'Failed');
    expect(await askRollback(deps, { rollout: ROLLOUT })).toBeUndefined();
  });
});

describe('confirmStage', () => {
  const open: GateAnswer = { isOpen: true, reasons: ['no freeze'] };
  const shut: GateAnswer = { isOpen: false, reasons: ['frozen until Monday'] };
  const ask = { rollout: ROLLOUT, application: 'shop', environment: 'production', stage: 'confirm-promotion', intervalMs: MINUTE } as const;

  it.each([
    ['open gates', open, undefined, undefined, true, ['no freeze']],
    ['a gate that is shut', shut, undefined, undefined, false, ['frozen until Monday']],
    ['open gates, and an analysis that has passed', open, 'pass', 'golden', true, ['golden: pass, latency is pass at look 1', 'no freeze']],
    [
      'open gates, and one that goes on',
      open,
      'continue',
      'golden',
      false,
      ['golden: continue, latency is continue at look 1', 'no freeze'],
    ],
    ['open gates, and one that had nothing to judge', open, 'inconclusive', 'golden', false, [/inconclusive/, 'no freeze']],
    ['open gates, and one that failed', open, 'fail', 'golden', false, [/fail/, 'no freeze']],
    ['open gates, and one that has not looked', open, 'pass', 'other', false, ['other has not looked at this rollout', 'no freeze']],
    ['a shut gate, and an analysis that has passed', shut, 'pass', 'golden', false, [/pass/, 'frozen until Monday']],
  ] as const)('with %s', async (_, gates, verdict, analysis, isOpen, reasons) => {
    const { deps } = createRolloutWorld(verdict === undefined ? [] : [verdict]);
    if (verdict !== undefined) await takeLook(deps, lookRequest());
    const told = await confirmStage({ ...deps, askGates: async () => gates }, { ...ask, analysis });
    expect(told.isOpen).toBe(isOpen);
    expect(told.reasons).toEqual(reasons.map((reason) => (typeof reason === 'string' ? reason : expect.stringMatching(reason))));
  });

  it('is not open where a gate cannot be asked', async () => {
    const { deps } = createRolloutWorld();
    const askGates = async () => {
      throw new OpsError('unavailable', 'the gate does not answer');
    };
    await expect(confirmStage({ ...deps, askGates }, ask)).rejects.toThrow('does not answer');
  });

  it('takes no pass of a rollout that has ended', async () => {
    const { deps } = createRolloutWorld(['pass']);
    await takeLook(deps, lookRequest());
    await endRollout(deps, ROLLOUT, 'Succeeded');
    expect((await confirmStage({ ...deps, askGates: async () => open }, { ...ask, analysis: 'golden' })).isOpen).toBe(false);
  });
});

describe('reportEvent', () => {
  const event = (more: object = {}) =>
    payload({ phase: 'Progressing', metadata: { eventMessage: 'Advance', eventType: 'Normal', timestamp: String(NOW - 5_000), ...more } });

  it('tells of an event once, when it happened by its sender', async () => {
    const { deps, events } = createRolloutWorld();
    expect(await reportEvent(deps, 'a', event())).toBe(true);
    expect(await reportEvent(deps, 'a', event())).toBe(false);
    expect(events()).toMatchObject([
      { detail: { tenant: 'a', phase: 'Progressing', eventType: 'Normal', message: 'Advance', at: '2026-11-23T11:59:55.000Z' } },
    ]);
  });

  it.each([
    ['none', {}],
    ['no number', { timestamp: 'now' }],
    ['one of a clock far ahead', { timestamp: String(NOW + 60 * MINUTE) }],
    ['one of long ago', { timestamp: '0' }],
  ])('has a time of our own for %s', async (_, more) => {
    const { deps, events } = createRolloutWorld();
    const sent = event(more);
    if (!('timestamp' in more)) delete sent.metadata.timestamp;
    await reportEvent(deps, 'a', sent);
    expect(events()[0].detail.at).toBe('2026-11-23T12:00:00.000Z');
  });

  it.each([
    ['tenants', 'b', {}],
    ['times', 'a', { timestamp: String(NOW - 4_999) }],
    ['messages', 'a', { eventMessage: 'Halt' }],
    ['types', 'a', { eventType: 'Warning' }],
  ])('keeps %s apart', async (_, tenant, more) => {
    const { deps, events } = createRolloutWorld();
    await reportEvent(deps, 'a', event());
    expect(await reportEvent(deps, tenant, event(more))).toBe(true);
    expect(events()).toHaveLength(2);
  });
});

describe('a payload', () => {
  it('gives variables that Flagger knows, and those of the metadata over them', () => {
    const metadata = {
      application: 'shop',
      analysis: 'golden',
      environment: 'prod',
      interval: '1m',
      stable: 'old',
      region: 'eu',
      'no-name': 'x',
    };
    expect(variablesOf(payload({ metadata }))).toEqual({
      ...{ name: 'podinfo', namespace: 'test', canary: 'podinfo', stable: 'old', release: '85d557f47b', region: 'eu' },
      ...{ application: 'shop', environment: 'prod' },
    });
  });

  it('is of a rollout by its checksum', () => {
    expect(rolloutOf('a', payload())).toEqual(ROLLOUT);
    expect(() => rolloutOf('a', payload({ checksum: undefined }))).toThrow('checksum is missing');
  });

  it('has fields of a length', () => {
    const given = payload({ metadata: { empty: '', long: 'x'.repeat(201), good: 'x' } });
    expect(metadataField(given, 'good')).toBe('x');
    expect(() => metadataField(given, 'absent')).toThrow('metadata.absent is missing');
    expect(() => metadataField(given, 'empty')).toThrow('1 to 200 characters');
    expect(() => metadataField(given, 'long')).toThrow('1 to 200 characters');
  });

  it.each([
    [undefined, MINUTE],
    ['30s', 30_000],
    ['1m30s', 90_000],
  ])('has the interval %s', (text, ms) => expect(readInterval(text, 'interval')).toBe(ms));

  it.each(['', 'soon', '1', '9s', '2h', '-1m'])('refuses the interval %j', (text) =>
    expect(() => readInterval(text, 'metadata.interval')).toThrow('metadata.interval: takes a duration'),
  );
});

describe('summarizeJudgement', () => {
  it('has the metric that decided, or else the first, or none', () => {
    const metric = (name: string, verdict: 'pass' | 'fail') => ({ ...judgement(verdict, 1).metrics[0], name, numbers: {} });
    const told = (...metrics: ReturnType<typeof metric>[]) => summarizeJudgement(judgement('fail', 1, { metrics })).metric;
    expect(told(metric('a', 'pass'), metric('b', 'fail'))).toBe('b');
    expect(told(metric('a', 'pass'))).toBe('a');
    expect(told()).toBeUndefined();
  });

  it('is bounded', () => {
    const numbers = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`n${i}`, i]));
    const [one] = judgement('pass', 1).metrics;
    const told = summarizeJudgement(judgement('pass', 1, { sentence: 'x'.repeat(10_000), metrics: [{ ...one, numbers }] }));
    expect(JSON.stringify(told).length).toBeLessThan(4_000);
  });
});
