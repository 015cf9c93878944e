import { MINUTE_MS } from '#core/time.ts';
import type { TrafficState } from '#ports/traffic.ts';
import type { ReleaseStep } from '#releases/application/application.ts';
import type { Gate } from '#releases/application/gate.ts';
import { type Ask, carriedBy, type Release } from '#releases/release/release.ts';
import { change, type Draft, note, tell } from './draft.ts';

/** Longer than any call that a function leaves behind when it ends: AWS Lambda's 15 minutes. */
const WATCH_MS = 16 * MINUTE_MS;

/** The step that a release is at. */
export function currentStep({ plan, step }: Release): ReleaseStep {
  return plan.steps[step] as ReleaseStep;
}

/** The gates that decide whether a release may leave its position; none while traffic is shifted. */
export function gatesInQuestion(release: Release): readonly Gate[] {
  if (release.phase !== 'progressing') return [];
  const step = currentStep(release);
  const hasTraffic = release.traffic !== undefined && carriedBy(release.version, release.traffic) > 0;
  const background = hasTraffic && isCompared(release) ? release.plan.background : [];
  if (release.position === 'before') return [...step.before, ...background];
  return release.position === 'holding' ? [...step.after, ...background] : [];
}

/**
 * The step by whose end background analyses have to have passed: the last at which the version before has traffic to compare with, or
 * the last of all where there is none such.
 */
export function decisiveStep({ steps }: Release['plan']): number {
  const shared = steps.findLastIndex(({ weight }) => weight > 0 && weight < 100);
  return shared < 0 ? steps.length - 1 : shared;
}

/** Whether background analyses look on: up to the decisive step, and while the one after it waits for its gates. */
function isCompared({ plan, step, position }: Release): boolean {
  return step <= decisiveStep(plan) + (position === 'before' ? 1 : 0);
}

/** Takes the environment, and looks at what there is. */
export function admit(draft: Draft): void {
  const { application, environment, version, plan } = draft.release;
  change(draft, { phase: 'progressing', position: 'preparing', startedAtMs: draft.nowMs });
  note(draft, 'started', `release of ${application} ${version} to ${environment} by ${plan.strategy}, ${plan.steps.length} steps`);
  tell(draft, 'Release Started', `${application} ${version} is on its way to ${environment}`);
  mean(draft, { kind: 'capture' }, `looks at the traffic of ${environment} before anything is shifted`);
}

type Meant = { kind: 'capture' } | { kind: 'shift'; from: TrafficState; to: TrafficState } | { kind: 'restore'; onlyIfCarrying: boolean };

/** Stores what is to be done to the traffic, and why; it is done after that. */
function mean(draft: Draft, meant: Meant, why: string): void {
  const number = draft.release.intents + 1;
  const touched = draft.release.touched || meant.kind === 'shift';
  change(draft, { intents: number, intent: { number, ...meant }, touched, trouble: undefined });
  resetClock(draft);
  const more = meant.kind === 'shift' ? { from: meant.from, to: meant.to } : {};
  note(draft, 'traffic', why, { intent: number, ...more });
}

function resetClock(draft: Draft): void {
  change(draft, { clock: { lastMs: draft.nowMs, heldMs: 0, waitedMs: 0 }, watchedAtMs: draft.nowMs });
}

/** Comes to a step: its gates first, if it has any. */
export function enterStep(draft: Draft, index: number): void {
  change(draft, { step: index, position: 'before', gates: [], waitingFor: '' });
  resetClock(draft);
  const { before } = currentStep(draft.release);
  if (before.length === 0) beginShift(draft);
  else change(draft, { asks: { ...keptAsks(draft.release, () => true), ...openAsks(draft, before) } });
}

/** Sets the step's weight. */
export function beginShift(draft: Draft): void {
  const { release } = draft;
  const { application, environment, version, traffic, stable, step, plan } = release;
  const { name, weight } = currentStep(release);
  if (traffic === undefined || stable === undefined) throw new RangeError(`release ${release.id} shifts before it has looked`);
  change(draft, { position: 'shifting', gates: [], waitingFor: '' });
  tell(draft, 'Canary Step Due', `${application} ${version} in ${environment}: ${name}, step ${step + 1} of ${plan.steps.length}`, {
    step: step + 1,
    steps: plan.steps.length,
    weight,
  });
  mean(
    draft,
    { kind: 'shift', from: traffic, to: { stable, canary: version, weight } },
    `step ${step + 1}, ${name}: ${version} is to get ${weight} % of the traffic`,
  );
}

/** The step's weight is there: time begins to count, and analyses to look. A background analysis that has passed begins anew. */
export function beginHold(draft: Draft, traffic: TrafficState): void {
  const { after, weight } = currentStep(draft.release);
  change(draft, { position: 'holding', traffic, intent: undefined, gates: [], waitingFor: '' });
  resetClock(draft);
  const going = keptAsks(draft.release, ({ verdict }) => verdict !== 'pass');
  const isLookedAt = weight > 0 && isCompared(draft.release);
  const background = isLookedAt ? draft.release.plan.background.filter(({ key }) => !going[key]) : [];
  change(draft, { asks: { ...going, ...openAsks(draft, [...after, ...background]) } });
}

/** Background analyses go from step to step. */
function keptAsks({ asks, plan }: Release, isKept: (ask: Ask) => boolean): Record<string, Ask> {
  const kept = plan.background.flatMap(({ key }) => (asks[key] && isKept(asks[key]) ? [[key, asks[key]] as const] : []));
  return Object.fromEntries(kept);
}

function openAsks(draft: Draft, gates: readonly Gate[]): Record<string, Ask> {
  const { asks } = draft.release;
  const asked = gates.filter(({ kind }) => kind === 'analysis' || kind === 'webhook');
  return Object.fromEntries(asked.map((gate) => [gate.key, openAsk(gate, (asks[gate.key]?.run ?? 0) + 1, draft.nowMs)]));
}

/** An analysis is first looked at when there is an interval to look at; a webhook is called at once. */
export function openAsk({ key, kind, intervalMs }: Gate, run: number, nowMs: number): Ask {
  const nextMs = kind === 'analysis' ? nowMs + intervalMs : nowMs;
  return { key, kind: kind === 'analysis' ? 'analysis' : 'webhook', run, fromMs: nowMs, done: 0, nextMs, refusals: 0, errors: 0 };
}

/** Leaves a step for the next, or for the promotion. */
export function leaveStep(draft: Draft): void {
  const { release } = draft;
  const { step, plan, traffic, stable = '', version, environment } = release;
  if (step + 1 < plan.steps.length) {
    note(draft, 'step', `step ${step + 1}, ${currentStep(release).name}, is done`);
    enterStep(draft, step + 1);
    return;
  }
  change(draft, { position: 'promoting', gates: [], waitingFor: '' });
  const from = traffic ?? { stable, canary: version, weight: 100 };
  mean(
    draft,
    { kind: 'shift', from, to: { stable: version, weight: 0 } },
    `all steps are done: ${version} becomes the stable version of ${environment}`,
  );
}

/**
 * The release has failed. What was shifted, or may have been, is put back; where nothing was, there is nothing to put back.
 * `onlyIfCarrying`: somebody else has changed the traffic, whose change is left alone unless the version has traffic.
 */
export function fail(draft: Draft, why: string, onlyIfCarrying = false): void {
  const { release } = draft;
  if (!release.touched) {
    end(draft, 'cancelled', why);
    return;
  }
  const { application, environment, version, stable } = release;
  change(draft, {
    phase: 'rolling-back',
    outcome: why,
    paused: undefined,
    gates: [],
    asks: {},
    waitingFor: '',
    endedAtMs: undefined,
    keepUntilMs: undefined,
  });
  tell(draft, 'Release Rolling Back', `${application} ${version} in ${environment} is rolled back: ${why}`);
  mean(draft, { kind: 'restore', onlyIfCarrying }, `${why.replace(/\.$/, '')}: the traffic goes back to ${stable}`);
}

const ENDINGS = { promoted: 'Release Promoted', 'rolled-back': 'Release Rolled Back', cancelled: 'Release Cancelled' } as const;

/** The end. One that was rolled back is looked after for a while. */
export function end(draft: Draft, phase: keyof typeof ENDINGS, outcome: string): void {
  const { nowMs, release } = draft;
  const { application, environment, version, plan, touched } = release;
  const ended = { intent: undefined, trouble: undefined, paused: undefined, gates: [], asks: {}, waitingFor: '' };
  const keepUntilMs = phase === 'promoted' && plan.keepMs > 0 && touched ? nowMs + plan.keepMs : undefined;
  const watchUntilMs = phase === 'rolled-back' ? nowMs + WATCH_MS : undefined;
  change(draft, { ...ended, phase, outcome, endedAtMs: nowMs, keepUntilMs, watchUntilMs });
  note(draft, 'ended', `${phase}: ${outcome}`);
  tell(draft, ENDINGS[phase], `${application} ${version} in ${environment} is ${phase}: ${outcome}`);
}
