import { formatDuration } from '#core/duration.ts';
import { MINUTE_MS, SECOND_MS } from '#core/time.ts';
import { type GateFacts, judgeGate } from '#releases/gates/judge-gate.ts';
import type { GateState, Release } from '#releases/release/release.ts';
import { change, type Draft, note, tell } from './draft.ts';
import { MAX_BACKOFF_MS } from './outcomes.ts';
import { admit, beginShift, currentStep, decisiveStep, end, fail, gatesInQuestion, leaveStep } from './steps.ts';

/** Most time that passes between two looks: more than the schedule's minute, and far less than a clock jumps. */
const MAX_GAP_MS = 2.5 * MINUTE_MS;
/** Time that has passed is stored so often while nothing else happens. */
const STORED_EACH_MS = 10 * SECOND_MS;
const WATCHED_EACH_MS = MINUTE_MS;

/** A look at a release: what others say, and whose turn it is in its environment. */
export interface Look {
  readonly kind: 'look';
  readonly facts: GateFacts;
  /** `active`: the environment is its own. `none`: neither that nor in the queue. */
  readonly place: 'active' | 'queued' | 'none';
  /** A newer release that waits. */
  readonly newer?: string | undefined;
  /** The same version is being released here anew, or was: its traffic is no longer that of this release. */
  readonly isAnew?: boolean | undefined;
}

/** Time passes: a release gets on if all gates are open, and back if one has failed for good. */
export function takeLook(draft: Draft, look: Look): void {
  const { phase } = draft.release;
  if (phase === 'queued') takeTurn(draft, look);
  else if (phase === 'rolled-back') watch(draft, look.isAnew ?? false);
  else if (phase === 'progressing') getOn(draft, look);
  else if (phase === 'rolling-back' && look.isAnew && look.place === 'none')
    end(draft, 'rolled-back', 'the same version is released anew, and the traffic is its own');
}

function takeTurn(draft: Draft, { place }: Look): void {
  if (place === 'active') admit(draft);
  else if (place === 'none') end(draft, 'cancelled', 'a newer release took its place in the queue');
}

function getOn(draft: Draft, { facts, newer }: Look): void {
  passTime(draft);
  const failed = refreshGates(draft, facts);
  const { clock, plan, paused } = draft.release;
  const isOverdue = paused === undefined && clock.waitedMs > plan.deadlineMs;
  if (newer !== undefined && plan.onNewer === 'supersede') fail(draft, `superseded by ${newer}`);
  else if (failed) fail(draft, `${failed.name}: ${failed.sentence}`);
  else if (isOverdue) fail(draft, describeOverdue(draft.release));
  else {
    planAsks(draft);
    if (draft.release.position === 'holding') planWatch(draft);
    if (paused === undefined) advance(draft);
  }
}

/** Reads once a minute whether a shift that came late has undone the rollback. */
function watch(draft: Draft, isAnew: boolean): void {
  const { watchUntilMs, intent } = draft.release;
  const { nowMs } = draft;
  if (watchUntilMs === undefined) return;
  if (isAnew || (intent === undefined && nowMs >= watchUntilMs)) {
    change(draft, { watchUntilMs: undefined, intent: undefined, trouble: undefined });
    return;
  }
  planWatch(draft);
}

/** Means to read the traffic once a minute, where nothing else is meant. */
function planWatch(draft: Draft): void {
  const { intent, intents, watchedAtMs } = draft.release;
  const { nowMs } = draft;
  if (intent !== undefined || (nowMs >= watchedAtMs && nowMs - watchedAtMs < WATCHED_EACH_MS)) return;
  change(draft, { watchedAtMs: nowMs, intents: intents + 1, intent: { number: intents + 1, kind: 'watch' } });
}

/**
 * Counts the time since the last look, of which a jump of the clock, forward or back, is none. What a step is held and what it waits
 * beyond that are counted apart; a pause by hand is no waiting.
 */
function passTime(draft: Draft): void {
  const { nowMs, release } = draft;
  const { clock, position, paused } = release;
  const passedMs = Math.min(Math.max(0, nowMs - clock.lastMs), MAX_GAP_MS);
  const heldMs = clock.heldMs + (position === 'holding' ? passedMs : 0);
  const isHeld = position === 'holding' && clock.heldMs < currentStep(release).pauseMs;
  const waitedMs = clock.waitedMs + (isHeld || paused !== undefined ? 0 : passedMs);
  draft.release = { ...release, clock: { lastMs: nowMs, heldMs, waitedMs } };
  if (passedMs >= STORED_EACH_MS || nowMs < clock.lastMs) draft.isChanged = true;
}

/** Looks at the gates; gives one that has failed and is not merely waited for. */
function refreshGates(draft: Draft, facts: GateFacts): GateState | undefined {
  const { release, nowMs } = draft;
  const known = new Map(release.gates.map((gate) => [gate.key, gate]));
  const asked = gatesInQuestion(release);
  const gates = asked.map((gate): GateState => {
    const fact = judgeGate(gate, release, facts, nowMs);
    const before = known.get(gate.key);
    return { ...fact, key: gate.key, name: gate.name, kind: gate.kind, sinceMs: before?.state === fact.state ? before.sinceMs : nowMs };
  });
  draft.release = { ...release, gates };
  for (const gate of gates) {
    const before = known.get(gate.key);
    if (before?.sentence !== gate.sentence) draft.isChanged = true;
    if (before?.state === gate.state) continue;
    draft.isChanged = true;
    const isJudged = gate.kind === 'analysis' && release.asks[gate.key]?.errors === 0; // which history has already
    if (gate.state !== 'running' && !isJudged && (before !== undefined || gate.state !== 'open'))
      note(draft, 'gate', `${gate.name} is ${gate.state}: ${gate.sentence}`);
  }
  return gates.find(({ state }, i) => state === 'failed' && asked[i]?.otherwise === 'rollback');
}

/** Stores which analyses are looked at and which webhooks are called now; that is done after it. A clock that went back makes times too late. */
function planAsks(draft: Draft): void {
  const { nowMs, release } = draft;
  for (const { key, intervalMs } of gatesInQuestion(release)) {
    const ask = draft.release.asks[key];
    if (!ask || ask.pending || isSettled(ask.verdict)) continue;
    const isAhead = ask.nextMs > nowMs + intervalMs;
    if (ask.nextMs > nowMs && !isAhead) continue;
    if (ask.kind === 'analysis' && nowMs <= ask.fromMs) continue;
    const pending = { number: ask.done + 1, toMs: nowMs };
    change(draft, { asks: { ...draft.release.asks, [key]: { ...ask, pending, nextMs: nowMs } } });
  }
}

function isSettled(verdict: string | undefined): boolean {
  return verdict === 'pass' || verdict === 'fail' || verdict === 'inconclusive' || verdict === 'open';
}

/** Goes on where nothing is in the way; else says what is. */
function advance(draft: Draft): void {
  const { release } = draft;
  const { position, clock, gates, plan, step } = release;
  if (position !== 'before' && position !== 'holding') return;
  if (position === 'holding' && clock.heldMs < currentStep(release).pauseMs) return;
  const isDecisive = position === 'holding' && step === decisiveStep(plan);
  const isInTheWay = ({ key, state }: GateState) =>
    state !== 'open' && !(state === 'running' && key.startsWith('background/') && !isDecisive);
  const shut = gates.filter(isInTheWay);
  if (shut.length > 0) tellWaiting(draft, shut);
  else if (position === 'before') beginShift(draft);
  else leaveStep(draft);
}

function tellWaiting(draft: Draft, shut: readonly GateState[]): void {
  const { application, environment, version, waitingFor } = draft.release;
  const waiting = shut.filter(({ state }) => state !== 'running');
  const keys = waiting.map(({ key }) => key).join(' ');
  if (keys === waitingFor) return;
  change(draft, { waitingFor: keys });
  if (waiting.length === 0) return;
  const why = waiting.map(({ name, sentence }) => `${name}: ${sentence}`).join('; ');
  tell(draft, 'Release Waiting', `${application} ${version} in ${environment} waits for ${why}`, {
    gates: waiting.map(({ name, state, sentence }) => ({ name, state, sentence })),
  });
}

function describeOverdue({ plan, gates, trouble, position }: Release): string {
  const shut = gates.filter(({ state }) => state !== 'open').map(({ name, sentence }) => `${name}: ${sentence}`);
  const why = trouble ? [trouble.sentence] : shut;
  return `it has waited ${formatDuration(plan.deadlineMs)} ${position === 'holding' ? 'after' : 'for'} its step${why.length > 0 ? ` (${why.join('; ')})` : ''}`;
}

/** What is to be done now. */
export interface ReleaseActions {
  readonly traffic: boolean;
  /** Keys of asks. */
  readonly asks: readonly string[];
}

/** Intents that are due: of one that has failed, when its time has come again. */
export function listActions(release: Release, nowMs: number): ReleaseActions {
  const { intent, trouble, asks } = release;
  const asked = gatesInQuestion(release).flatMap(({ key }) => (asks[key] ? [asks[key]] : []));
  const isDue = (nextMs: number) => nextMs <= nowMs || nextMs > nowMs + MAX_BACKOFF_MS;
  return {
    traffic: intent !== undefined && (trouble === undefined || isDue(trouble.nextMs)),
    asks: asked.flatMap(({ key, pending, nextMs }) => (pending && isDue(nextMs) ? [key] : [])),
  };
}
