import type { Gate } from '#releases/application/gate.ts';
import type { HistoryEntry, Release } from '#releases/release/release.ts';
import { isEnded } from '#releases/release/release.ts';

/** A release in a list. */
export function summarizeRelease(release: Release, nowMs: number) {
  const { id, application, environment, version, commit, ref, actor, phase, position, step, plan, paused, trouble, outcome } = release;
  return {
    ...{ id, application, environment, version, commit, ref, actor },
    state: phase,
    position: phase === 'progressing' ? position : undefined,
    step: step + 1,
    steps: plan.steps.length,
    weight: release.traffic?.canary === version ? release.traffic.weight : release.traffic?.stable === version ? 100 : 0,
    paused: paused !== undefined,
    stuck: trouble !== undefined,
    sentence: describeRelease(release, nowMs),
    outcome: isEnded(release) ? outcome : undefined,
    createdAt: isoTime(release.createdAtMs),
    startedAt: optionalTime(release.startedAtMs),
    endedAt: optionalTime(release.endedAtMs),
  };
}

/** One release with all that people ask of it. */
export function describeWhole(release: Release, nowMs: number) {
  const { plan, paused, trouble, gates, asks, traffic, stable, artifactDigest, sbomUrl, approvals, keepUntilMs } = release;
  return {
    ...summarizeRelease(release, nowMs),
    ...{ artifactDigest, sbomUrl, stable, traffic, strategy: plan.strategy, driver: plan.driver?.type },
    paused: paused ? { by: paused.by, at: isoTime(paused.atMs), why: paused.why } : undefined,
    trouble: trouble && {
      sentence: trouble.sentence,
      attempts: trouble.attempts,
      since: isoTime(trouble.sinceMs),
      nextTryAt: isoTime(trouble.nextMs),
    },
    gates: gates.map(({ key, name, kind, state, sentence, sinceMs }) => ({ key, name, kind, state, sentence, since: isoTime(sinceMs) })),
    analyses: Object.values(asks).map(({ key, kind, run, done, verdict, sentence, errors }) => ({
      key,
      kind,
      run,
      looks: done,
      verdict,
      sentence,
      errors,
    })),
    approvals: approvals.map(({ gate, by, atMs }) => ({ gate, by, at: isoTime(atMs) })),
    plan: plan.steps.map(({ name, weight, pauseMs, before, after }, i) => ({
      ...{ step: i + 1, name, weight, pauseSeconds: pauseMs / 1_000 },
      state: stateOfStep(release, i),
      before: before.map(nameGate),
      after: after.map(nameGate),
    })),
    background: plan.background.map(nameGate),
    returnUntil: optionalTime(keepUntilMs),
  };
}

function nameGate({ key, name, kind, otherwise }: Gate) {
  return { key, name, kind, otherwise };
}

function stateOfStep({ phase, step }: Release, index: number): 'done' | 'current' | 'to come' | 'never' {
  if (phase === 'promoted' || index < step) return 'done';
  if (phase === 'queued' || phase === 'progressing') return index === step && phase === 'progressing' ? 'current' : 'to come';
  return index === step ? 'current' : 'never';
}

/** Where a release stands, in one sentence. */
function describeRelease(release: Release, nowMs: number): string {
  const { phase, position, plan, step, paused, trouble, gates, outcome = '', clock, environment } = release;
  if (phase === 'queued') return `waits for its turn in ${environment}`;
  if (isEnded(release)) return outcome;
  if (trouble)
    return `stuck since ${isoTime(trouble.sinceMs)}: ${trouble.sentence}; tried ${trouble.attempts} times, again in ${Math.max(0, Math.ceil((trouble.nextMs - nowMs) / 1_000))} s`;
  if (phase === 'rolling-back') return `rolls back: ${outcome}`;
  const { name, pauseMs } = plan.steps[step] ?? { name: '', pauseMs: 0 };
  const where = `step ${step + 1} of ${plan.steps.length}, ${name}`;
  if (paused) return `paused by ${paused.by} at ${where}`;
  const said = gates.filter(({ state }) => state !== 'open').map((gate) => `${gate.name} ${gate.state}: ${gate.sentence}`);
  const held = clock.heldMs < pauseMs && position === 'holding' ? [`held ${Math.floor(clock.heldMs / 1_000)} of ${pauseMs / 1_000} s`] : [];
  return [`${where}: ${position}`, ...held, ...said].join('; ');
}

export function describeEntry({ atMs, ...entry }: HistoryEntry) {
  return { ...entry, at: isoTime(atMs) };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function optionalTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : isoTime(timeMs);
}
