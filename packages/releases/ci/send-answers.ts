import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';
import type { Table } from '#ports/table.ts';
import { type AnswerVerdict, judgeAnswerError } from './answer-verdict.ts';
import { type DueAnswer, listDueAnswers, type PendingAnswer, readAnswer, replaceAnswer } from './pending-answer.ts';
import type { Answer } from './plan-answers.ts';

export interface SendAnswersDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Tells a provider one answer; `attempts` counts this try too. What it throws is judged as the port's error. */
  readonly send: (tenant: string, answer: Answer, attempts: number) => Promise<AnswerVerdict>;
  readonly remainingMs?: (() => number) | undefined;
  /** The one tenant whose answers are sent; absent, those of all. */
  readonly onlyTenant?: string | undefined;
}

/** What a run did. `superseded`: what happened meanwhile is told in the place of it. */
export interface SendAnswersResult {
  readonly sent: number;
  readonly retried: number;
  readonly gaveUp: number;
  readonly superseded: number;
}

type Outcome = keyof SendAnswersResult;

/** Longer than a try takes, its token, a second one and a redirect included; another process goes on after it. */
const CLAIM_MS = 2 * MINUTE_MS;
const AT_ONCE = 8;
const PER_ROUND = 64;
const RESERVE_MS = 60 * SECOND_MS;

/** An answer that comes a day late is of no use to a pipeline that waits. */
export const ANSWER_LIMITS = { baseDelayMs: 2 * SECOND_MS, maxDelayMs: 5 * MINUTE_MS, maxAgeMs: DAY_MS };

/**
 * Sends what is due, until nothing is. An answer is claimed by moving its due time on, sent, and then done with, moved to its next try, or
 * given up into the dead letters. A process that dies in between leaves the claim to run out. While a try is under way, what happened
 * later waits for its end, so that a place never ends with what is older. Who is told that a limit is met sends nothing more to that
 * provider until it is over. What fails keeps nothing else from being sent.
 */
export async function sendAnswers(deps: SendAnswersDeps): Promise<SendAnswersResult> {
  const counts: Record<Outcome, number> = { sent: 0, retried: 0, gaveUp: 0, superseded: 0 };
  const hasTime = () => (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) >= RESERVE_MS;
  const failures: unknown[] = [];
  const limitedUntil = new Map<string, number>();
  for (let isMoving = true; isMoving && hasTime(); ) {
    const due = await listDueAnswers(deps.table, deps.now(), PER_ROUND, deps.onlyTenant);
    const outcomes = await mapConcurrent(due, AT_ONCE, async (one) => {
      if (!hasTime()) return undefined;
      return sendOne(deps, limitedUntil, one).catch((error: unknown) => void failures.push(error));
    });
    for (const outcome of outcomes) if (outcome) counts[outcome]++;
    isMoving = outcomes.some((outcome) => outcome !== undefined);
  }
  await forEachSettled(failures, (failure) => Promise.reject(failure));
  return counts;
}

async function sendOne(deps: SendAnswersDeps, limitedUntil: Map<string, number>, due: DueAnswer): Promise<Outcome | undefined> {
  const before = await readAnswer(deps.table, due.tenant, due.lane);
  if (!before || before.dueAtMs === undefined || Math.ceil(before.dueAtMs) !== due.dueAtMs) return undefined;
  const limitMs = limitedUntil.get(accountOf(before)) ?? 0;
  if (limitMs > deps.now()) {
    const later = { ...before, dueAtMs: limitMs, stamp: deps.newId() };
    return (await replace(deps, before, later)) ? 'retried' : undefined;
  }
  const claimed = claim(before, deps.now(), deps.newId());
  if (!(await replace(deps, before, claimed))) return undefined;
  const isTooOld = before.attempts > 0 && deps.now() > claimed.createdAtMs + ANSWER_LIMITS.maxAgeMs;
  if (isTooOld) return giveUp(deps, claimed, `not told in ${before.attempts} tries, the last of which did not end`);
  const verdict = await deps.send(claimed.tenant, claimed.answer, claimed.attempts).catch(judgeAnswerError);
  const plan = planNextTry(claimed, verdict, deps.now(), deps.random());
  if (verdict.kind === 'retry' && verdict.isLimited && plan.kind === 'retry') limitedUntil.set(accountOf(claimed), plan.atMs);
  if (plan.kind === 'give-up') return giveUp(deps, claimed, plan.reason);
  if (plan.kind === 'retry') return settle(deps, claimed, { ...release(claimed), dueAtMs: plan.atMs, stamp: deps.newId() }, 'retried');
  return settle(deps, claimed, { ...release(claimed), dueAtMs: undefined, outcome: 'sent', stamp: deps.newId() }, 'sent');
}

/** Limits are those of a sender: of the App, or of a token. */
function accountOf({ tenant, answer }: PendingAnswer): string {
  return `${tenant}/${answer.kind.split('-', 1)[0]}/${answer.reply.installation ?? ''}`;
}

function claim(before: PendingAnswer, nowMs: number, stamp: string): PendingAnswer {
  const untilMs = nowMs + CLAIM_MS;
  const isComment = before.answer.kind === 'github-rule' && !before.answer.isDecision;
  const comments = before.comments + (isComment ? 1 : 0);
  return { ...before, dueAtMs: untilMs, attempts: before.attempts + 1, comments, stamp, heldBy: stamp, heldUntilMs: untilMs };
}

function release(answer: PendingAnswer): PendingAnswer {
  return { ...answer, heldBy: '', heldUntilMs: 0 };
}

/** What becomes of an answer after a try. */
export type NextTry =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly atMs: number; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

/**
 * Exponential back-off of which half is at random (`random` uniform in [0, 1)), never earlier than the provider asked for. A try that would
 * come after the greatest age is not made.
 */
export function planNextTry(
  { createdAtMs, attempts }: Pick<PendingAnswer, 'createdAtMs' | 'attempts'>,
  verdict: AnswerVerdict,
  nowMs: number,
  random: number,
): NextTry {
  if (verdict.kind === 'sent') return { kind: 'done' };
  if (verdict.kind === 'refused') return { kind: 'give-up', reason: verdict.reason };
  const ceilingMs = Math.min(ANSWER_LIMITS.maxDelayMs, ANSWER_LIMITS.baseDelayMs * 2 ** (attempts - 1));
  const atMs = nowMs + Math.ceil(Math.max(verdict.retryAfterMs ?? 0, (ceilingMs / 2) * (1 + random)));
  if (atMs <= createdAtMs + ANSWER_LIMITS.maxAgeMs) return { kind: 'retry', atMs, reason: verdict.reason };
  return { kind: 'give-up', reason: `not told in ${attempts} tries; the last: ${verdict.reason}` };
}

async function giveUp(deps: SendAnswersDeps, claimed: PendingAnswer, reason: string): Promise<Outcome | undefined> {
  const { tenant, answer, eventId } = claimed;
  const { kind, state, reply } = answer;
  const event = JSON.stringify({ tenant, kind, state, repository: reply.repository, environment: reply.environment, eventId });
  const id = `${answer.lane}-${eventId}`;
  await keepDeadLetters(deps.table, [{ id, atMs: claimed.createdAtMs, from: `answer to ${kind}`, error: reason, event }]);
  return settle(deps, claimed, { ...release(claimed), dueAtMs: undefined, outcome: 'gave up', stamp: deps.newId() }, 'gaveUp');
}

/** Puts down what a try came to. Where something later was noted meanwhile, that one need not wait any longer. */
async function settle(deps: SendAnswersDeps, claimed: PendingAnswer, after: PendingAnswer, outcome: Outcome): Promise<Outcome | undefined> {
  for (;;) {
    if (await replace(deps, claimed, after)) return outcome;
    const current = await readAnswer(deps.table, claimed.tenant, claimed.answer.lane);
    if (current?.heldBy !== claimed.stamp || current.stamp === claimed.stamp) return undefined;
    if (await replace(deps, current, planSuccessor(claimed, after, current, deps.now(), deps.newId()))) return 'superseded';
  }
}

/** A decision that has been told stands: what happened later is not told there any more. */
function planSuccessor(claimed: PendingAnswer, after: PendingAnswer, current: PendingAnswer, nowMs: number, stamp: string): PendingAnswer {
  if (claimed.answer.isDecision && after.outcome === 'sent') return { ...after, stamp };
  return { ...release(current), dueAtMs: nowMs, stamp };
}

/** Puts an answer in the place of what it was; false where somebody else did something with it. */
async function replace({ table }: SendAnswersDeps, before: PendingAnswer, after: PendingAnswer): Promise<boolean> {
  try {
    await retry(() => table.transact(replaceAnswer(before, after)));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    // The answer to a write of ours may have got lost, and the repeat of it failed.
    return (await readAnswer(table, before.tenant, before.answer.lane))?.stamp === after.stamp;
  }
}
