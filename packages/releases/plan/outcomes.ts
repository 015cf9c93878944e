import { formatDuration } from '#core/duration.ts';
import type { ErrorKind } from '#core/errors.ts';
import { MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { Judgement } from '#model/judgement.ts';
import { type CapturedTraffic, normalizeTraffic, type TrafficState } from '#ports/traffic.ts';
import { type Ask, carriedBy, type Release, type TrafficIntent } from '#releases/release/release.ts';
import { change, type Draft, note, tell } from './draft.ts';
import { beginHold, end, enterStep, fail, gatesInQuestion } from './steps.ts';

const FIRST_BACKOFF_MS = 2 * SECOND_MS;
/** The longest wait between two tries of anything. */
export const MAX_BACKOFF_MS = 5 * MINUTE_MS;

function backoffMs(attempts: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempts - 1, 20));
}

/** What the driver said to an intent. */
export interface TrafficOutcome {
  readonly kind: 'traffic';
  readonly intent: number;
  readonly traffic: TrafficState;
  readonly captured?: CapturedTraffic | undefined;
  /** As of a look: the same version is released here anew. */
  readonly isAnew?: boolean | undefined;
}

/** The driver's answer. One to an intent that is not the present one is late, and no news. */
export function takeTraffic(draft: Draft, outcome: TrafficOutcome): void {
  const { intent: number, traffic } = outcome;
  const { intent } = draft.release;
  if (intent?.number !== number) return;
  const fault = findFault(draft.release, intent, traffic);
  if (fault !== undefined) {
    change(draft, { traffic });
    takeTrouble(draft, fault);
    return;
  }
  if (draft.release.trouble) note(draft, 'trouble', `the driver answers again after ${draft.release.trouble.attempts} failures`);
  change(draft, { trouble: undefined });
  if (intent.kind !== 'watch') note(draft, 'traffic', `the driver says: ${describeTraffic(traffic)}`, { intent: number, to: traffic });
  follow(draft, intent, outcome);
}

function follow(draft: Draft, intent: TrafficIntent, { traffic, captured, isAnew = false }: TrafficOutcome): void {
  const { release } = draft;
  const { version, position, environment, outcome = 'it has failed' } = release;
  change(draft, { traffic });
  switch (intent.kind) {
    case 'capture': {
      const { stable } = normalizeTraffic(traffic);
      if (stable === version) end(draft, 'promoted', `${version} has all traffic of ${environment} already`);
      else {
        change(draft, { captured, stable, traffic: { stable, weight: 0 }, intent: undefined });
        enterStep(draft, 0);
      }
      break;
    }
    case 'shift':
      if (position === 'promoting') end(draft, 'promoted', `${version} has all traffic of ${environment}`);
      else beginHold(draft, traffic);
      break;
    case 'restore':
      end(draft, 'rolled-back', outcome);
      break;
    case 'watch':
      change(draft, { intent: undefined });
      if (release.phase === 'progressing') checkDrift(draft, release.traffic, traffic);
      else if (carriedBy(version, traffic) > 0 && !isAnew)
        fail(draft, `${version} has traffic again after it was rolled back: ${describeTraffic(traffic)}`);
  }
}

/** While a step is held, its weight is what it was. */
function checkDrift(draft: Draft, held: TrafficState | undefined, now: TrafficState): void {
  if (held === undefined || describeTraffic(held) === describeTraffic(now)) return;
  fail(draft, `somebody else has changed the traffic from ${describeTraffic(held)} to ${describeTraffic(now)}`, true);
}

/** Why what the driver says is not what was meant. */
function findFault({ version }: Release, intent: TrafficIntent, traffic: TrafficState): string | undefined {
  const now = normalizeTraffic(traffic);
  if (intent.kind === 'capture') {
    const { canary, weight } = now;
    return canary === undefined ? undefined : `${canary} has ${weight} % of the traffic already: somebody else is shifting it`;
  }
  if (intent.kind === 'restore')
    return carriedBy(version, traffic) > 0 ? `${version} still has traffic: ${describeTraffic(traffic)}` : undefined;
  if (intent.kind === 'watch') return undefined;
  const to = normalizeTraffic(intent.to);
  const isThere = now.stable === to.stable && now.canary === to.canary && Math.abs(now.weight - to.weight) < 1;
  return isThere ? undefined : `the driver was told ${describeTraffic(to)} and says ${describeTraffic(traffic)}`;
}

/** `v2 10 %, v1 90 %`; the same of states that mean the same, in whichever form drivers say them. */
function describeTraffic(state: TrafficState): string {
  const { stable, canary, weight } = normalizeTraffic(state);
  return canary === undefined ? `${stable} 100 %` : `${canary} ${weight} %, ${stable} ${100 - weight} %`;
}

/** The driver has failed. Somebody else's change ends the release; anything else is tried again. */
export function takeTrafficFailure(draft: Draft, number: number, kind: ErrorKind, message: string): void {
  const { intent } = draft.release;
  if (intent?.number !== number) return;
  if (intent.kind === 'shift' && kind === 'conflict') fail(draft, `somebody else has changed the traffic: ${message}`, true);
  else takeTrouble(draft, message, kind !== 'unavailable');
}

/** Says so at the second failure and ever more seldom after it; at once where time alone mends nothing. */
function takeTrouble(draft: Draft, sentence: string, isLasting = false): void {
  const { nowMs, release } = draft;
  const { application, environment, version, trouble, phase, intent } = release;
  const attempts = (trouble?.attempts ?? 0) + 1;
  const waitMs = backoffMs(attempts);
  change(draft, { trouble: { sinceMs: trouble?.sinceMs ?? nowMs, attempts, nextMs: nowMs + waitMs, sentence } });
  const isTold = (attempts > 1 && Number.isInteger(Math.log2(attempts))) || (isLasting && attempts === 1);
  if (attempts > 1 && !isTold) return;
  note(draft, 'trouble', `try ${attempts} failed: ${sentence}; the next one in ${formatDuration(waitMs)}`, { intent: intent?.number });
  if (!isTold) return;
  const isWatch = intent?.kind === 'watch' && phase === 'progressing';
  const what = isWatch
    ? 'cannot be looked at'
    : phase === 'progressing'
      ? 'stands still'
      : phase === 'rolling-back'
        ? 'cannot be rolled back'
        : 'cannot be looked after';
  tell(draft, 'Release Stuck', `${application} ${version} in ${environment} ${what}: ${sentence}`, { attempts });
}

/** The gate's present run waits for the answer of that number; anything else is late. */
function pendingAsk({ asks }: Release, key: string, run: number, number: number): Ask | undefined {
  const ask = asks[key];
  return ask?.run === run && ask.pending?.number === number ? ask : undefined;
}

function changeAsk(draft: Draft, ask: Ask, changes: Partial<Ask>): void {
  change(draft, { asks: { ...draft.release.asks, [ask.key]: { ...ask, ...changes } } });
}

export interface Judged {
  readonly kind: 'judged';
  readonly key: string;
  readonly run: number;
  readonly number: number;
  readonly judgement: Judgement;
}

/** What a look of an analysis came to. */
export function takeJudgement(draft: Draft, { key, run, number: look, judgement }: Judged): void {
  const ask = pendingAsk(draft.release, key, run, look);
  const gate = gatesInQuestion(draft.release).find((each) => each.key === key);
  if (!ask || !gate) return;
  const { verdict, sentence } = judgement;
  changeAsk(draft, ask, { done: look, verdict, sentence, errors: 0, pending: undefined, nextMs: draft.nowMs + gate.intervalMs });
  if (verdict === 'continue') return;
  const { application, version, environment, step } = draft.release;
  const said = `${gate.name} at look ${look}: ${verdict}. ${sentence}`;
  note(draft, 'analysis', said);
  tell(draft, 'Analysis Completed', `${application} ${version} in ${environment}: ${said}`, {
    analysis: gate.name,
    verdict,
    step: step + 1,
    look,
  });
  if (verdict === 'fail' || (verdict === 'inconclusive' && gate.otherwise === 'rollback')) fail(draft, said);
}

export interface Answered {
  readonly kind: 'answered';
  readonly key: string;
  readonly run: number;
  readonly number: number;
  readonly isOpen: boolean;
  readonly sentence: string;
}

/** A webhook's answer. */
export function takeAnswer(draft: Draft, { key, run, number, isOpen, sentence }: Answered): void {
  const ask = pendingAsk(draft.release, key, run, number);
  const gate = gatesInQuestion(draft.release).find((each) => each.key === key);
  if (!ask || !gate) return;
  const refusals = isOpen ? 0 : ask.refusals + 1;
  const verdict = isOpen ? 'open' : 'refused';
  changeAsk(draft, ask, {
    done: number,
    verdict,
    sentence,
    refusals,
    errors: 0,
    pending: undefined,
    nextMs: draft.nowMs + gate.intervalMs,
  });
}

export interface AskFailed {
  readonly kind: 'ask-failed';
  readonly key: string;
  readonly run: number;
  readonly number: number;
  readonly message: string;
}

/** There was no answer. The same is asked again: no answer is none, and never a pass. */
export function takeAskFailure(draft: Draft, { key, run, number, message }: AskFailed): void {
  const ask = pendingAsk(draft.release, key, run, number);
  if (!ask) return;
  const errors = ask.errors + 1;
  changeAsk(draft, ask, { errors, sentence: message, nextMs: draft.nowMs + backoffMs(errors) });
}
