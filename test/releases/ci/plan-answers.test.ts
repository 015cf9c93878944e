import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { PendingAnswer } from '#releases/ci/pending-answer.ts';
import { planAnswers } from '#releases/ci/plan-answers.ts';
import { planRecord } from '#releases/ci/record-answers.ts';
import { type Phase, phaseOf, type ReleaseEvent } from '#releases/ci/release-event.ts';
import { ANSWER_LIMITS, planNextTry } from '#releases/ci/send-answers.ts';
import { deploymentReply, releaseEvent } from './answer-world.ts';
import { NOW } from './signed-deliveries.ts';

const callbackUrl = 'https://api.github.com/repos/octo-org/octo-repo/actions/runs/7/deployment_protection_rule';
const kinds = ['Release Waiting', 'Release Started', 'Release Promoted', 'Release Rolled Back'];

const answerTo = (detailType: string, event: ReleaseEvent, kind: 'github-rule' | 'github-deployment') => {
  const answer = planAnswers(event, phaseOf(detailType) as Phase).find((each) => each.kind === kind);
  if (!answer) throw new Error(`no ${kind} of ${detailType}`);
  return answer;
};

describe('what a place is to be told', () => {
  const events = fc.uniqueArray(fc.record({ detailType: fc.constantFrom(...kinds), minute: fc.nat(20), id: fc.uuid() }), {
    selector: ({ id }) => id,
    minLength: 1,
    maxLength: 8,
  });

  const fold = (list: readonly { detailType: string; minute: number; id: string }[], kind: 'github-rule' | 'github-deployment') => {
    const reply = { ...deploymentReply, callbackUrl, rule: '42' };
    return list.reduce<PendingAnswer | undefined>((before, { detailType, minute, id }, i) => {
      const event = releaseEvent({ id, at: new Date(NOW + minute * MINUTE_MS).toISOString(), reply });
      return planRecord(before, event, answerTo(detailType, event, kind), NOW, `s${i}`) ?? before;
    }, undefined);
  };

  it('is the same whatever order the events come in, and however often', () => {
    fc.assert(
      fc.property(
        events.chain((list) =>
          fc.tuple(fc.shuffledSubarray(list, { minLength: list.length }), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([one, other]) => {
          const told = fold(one, 'github-deployment');
          expect(fold([...other, ...one], 'github-deployment')).toMatchObject({ eventId: told?.eventId, answer: told?.answer });
        },
      ),
    );
  });

  it('is a decision, of a rule, once there is one', () => {
    fc.assert(
      fc.property(events, (list) => {
        const isDecided = list.some(({ detailType }) => detailType === 'Release Promoted' || detailType === 'Release Rolled Back');
        fc.pre(isDecided);
        const sorted = [...list].sort((a, b) => a.minute - b.minute);
        expect(fold(sorted, 'github-rule')?.answer.isDecision).toBe(true);
      }),
    );
  });
});

describe('an event that several reports asked for', () => {
  it('is told to each of them, and each place once', () => {
    const rule = { ...deploymentReply, deploymentId: '', callbackUrl, rule: '42' };
    const told = planAnswers(releaseEvent({ reply: deploymentReply, replies: [rule, deploymentReply, { provider: 'ci' }] }), 'succeeded');
    expect(told.map(({ kind }) => kind).sort()).toEqual(['github-commit', 'github-deployment', 'github-rule']);
  });

  it('is named by a status in at most 255 characters', () => {
    const names = { application: 'a'.repeat(200), environment: '\u{1f680}'.repeat(60), reply: deploymentReply };
    const [{ context }] = planAnswers(releaseEvent(names), 'succeeded');
    expect([context.length <= 255, context.isWellFormed()]).toEqual([true, true]);
  });

  it('is told nobody who is no installation of the App', () => {
    const { installation: _, ...reply } = deploymentReply;
    expect(planAnswers(releaseEvent({ reply }), 'succeeded')).toEqual([]);
  });
});

describe('what becomes of a try', () => {
  const tried = (attempts: number) => ({ attempts, createdAtMs: NOW });
  const failed = { kind: 'retry', reason: 'answered 502' } as const;

  it.each([
    [1, 0, 1_000],
    [1, 1, 2_000],
    [3, 0, 4_000],
    [30, 0, 150_000],
    [30, 1, 300_000],
  ])('after %i tries, with luck of %d, comes another in %i ms', (attempts, random, delayMs) => {
    expect(planNextTry(tried(attempts), failed, NOW, random)).toEqual({ kind: 'retry', atMs: NOW + delayMs, reason: 'answered 502' });
  });

  it('waits at least as long as it was asked to', () => {
    const verdict = { ...failed, retryAfterMs: HOUR_MS };
    expect(planNextTry(tried(1), verdict, NOW, 1)).toMatchObject({ atMs: NOW + HOUR_MS });
  });

  it('is the last when the next would come after a day', () => {
    const nowMs = NOW + ANSWER_LIMITS.maxAgeMs - 1_000;
    expect(planNextTry(tried(9), failed, nowMs, 0)).toEqual({ kind: 'give-up', reason: 'not told in 9 tries; the last: answered 502' });
  });

  it('is the last when it is refused', () => {
    expect(planNextTry(tried(1), { kind: 'refused', reason: 'answered 404' }, NOW, 0)).toEqual({ kind: 'give-up', reason: 'answered 404' });
  });
});

it.each([
  ['github', { ...deploymentReply, callbackUrl, rule: '42' }, ['github-rule']],
  ['gitlab', { provider: 'gitlab', project: '7', sha: 'a'.repeat(40), environment: 'review/x', deploymentId: '1', ref: 'x' }, []],
])('a deployment of somebody else at %s gets no status of ours, and a decision if it waits for one', (_, reply, kinds) => {
  const event = releaseEvent({ reply, environment: reply.environment, isConfigured: false });
  expect(planAnswers(event, phaseOf('Release Refused') as Phase).map(({ kind }) => kind)).toEqual(kinds);
});
