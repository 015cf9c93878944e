import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import { type PendingAnswer, readAnswer, replaceAnswer } from './pending-answer.ts';
import { type Answer, type AnswerKind, planAnswers } from './plan-answers.ts';
import { phaseOf, type ReleaseEvent } from './release-event.ts';

export interface RecordAnswersDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Whether this installation can answer that way for a tenant: what nobody can send is not kept. */
  readonly canAnswer: (tenant: string, kind: AnswerKind) => boolean;
}

/** Ten are taken by GitHub; one is left for a try whose end nobody knows. */
const MAX_COMMENTS = 9;
const MAX_CONFLICTS = 20;

/**
 * Notes what an event of a release has to be told to the providers. The same event again changes nothing, nor does one that happened before
 * what is noted already; so events may come in any order. Returns how many places are to be told.
 */
export async function recordAnswers(deps: RecordAnswersDeps, detailType: string, event: ReleaseEvent): Promise<number> {
  const phase = phaseOf(detailType);
  if (!phase) return 0;
  let recorded = 0;
  for (const answer of planAnswers(event, phase)) {
    if (deps.canAnswer(event.tenant, answer.kind) && (await recordAnswer(deps, event, answer))) recorded++;
  }
  return recorded;
}

async function recordAnswer(deps: RecordAnswersDeps, event: ReleaseEvent, answer: Answer): Promise<boolean> {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    const before = await readAnswer(deps.table, event.tenant, answer.lane);
    const next = planRecord(before, event, answer, deps.now(), deps.newId());
    if (!next) return false;
    try {
      await retry(() => deps.table.transact(replaceAnswer(before, next)));
      return true;
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
    }
  }
  throw new OpsError('unavailable', `others are at the answer ${answer.lane}`);
}

/** What an event leaves of a place's answer; undefined where it changes nothing. */
export function planRecord(
  before: PendingAnswer | undefined,
  { id, at, tenant }: ReleaseEvent,
  answer: Answer,
  nowMs: number,
  stamp: string,
): PendingAnswer | undefined {
  const eventAtMs = Date.parse(at);
  if (before && !isLater(before, { eventAtMs, eventId: id, answer })) return undefined;
  // What is decided stands; until it is told nothing less takes its place.
  if (before?.answer.isDecision && (before.outcome === 'sent' || (before.outcome === '' && !answer.isDecision))) return undefined;
  const comments = before?.comments ?? 0;
  const isComment = answer.kind === 'github-rule' && !answer.isDecision;
  if (isComment && comments >= MAX_COMMENTS) return undefined;
  const heldUntilMs = before?.heldUntilMs ?? 0;
  return {
    ...{ tenant, answer, eventId: id, eventAtMs, stamp, comments, outcome: '', createdAtMs: nowMs, attempts: 0 },
    dueAtMs: Math.max(nowMs, heldUntilMs),
    heldBy: before?.heldBy ?? '',
    heldUntilMs,
  };
}

type Told = Pick<PendingAnswer, 'eventAtMs' | 'eventId' | 'answer'>;

/** Of two events of the same time the one that decides is the later; of two alike, anyone, but always the same. */
function isLater(before: Told, after: Told): boolean {
  if (after.eventAtMs !== before.eventAtMs) return after.eventAtMs > before.eventAtMs;
  if (after.answer.isDecision !== before.answer.isDecision) return after.answer.isDecision;
  return after.eventId > before.eventId;
}
