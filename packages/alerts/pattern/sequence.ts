import { formatDuration } from '#core/duration.ts';
import type { Observed, Seen } from './observation.ts';
import type { SequencePattern, Step } from './pattern.ts';
import { isoSecond } from './words.ts';

/**
 * Progress of one label set: for each step but the last how far the best attempt has come (the times of its steps, [] for none). A later
 * attempt is the better one, since it leaves more time for what follows. `held`: which conditions held last. `done`: the times of a
 * whole sequence, [] for none; `told`: it has been there at an evaluation.
 */
export interface SequenceRow {
  readonly held: string;
  readonly attempts: readonly (readonly number[])[];
  readonly done: readonly number[];
  readonly told: boolean;
}

/**
 * A step is taken when its condition begins to hold, at or after the step before it; steps of one expression need a beginning each.
 * Where something of `without` holds, everything so far is void. A whole sequence is there from the end of its settling for as long as
 * the last condition holds, and at least for that one evaluation.
 */
export function observeSequence(pattern: SequencePattern, before: SequenceRow | undefined, seen: Seen): Observed<SequenceRow> {
  const { steps, withinMs, settleMs } = pattern;
  const { values, atMs } = seen;
  const held = values.map((value) => (value === undefined ? '0' : '1')).join('');
  const holds = (i: number) => held[i] === '1';
  const isVoid = pattern.without.some((_, i) => holds(steps.length + i));
  const fresh = (times: readonly number[]) => withinMs === undefined || times.length === 0 || atMs - (times[0] as number) <= withinMs;
  const attempts: (readonly number[])[] = isVoid ? steps.map(() => []) : steps.map((_, i) => before?.attempts[i] ?? []);
  const last = steps.length - 1;
  const isOver = isVoid || (before?.told === true && !(holds(last) && before.held[last] === '1'));
  let done = isOver ? [] : (before?.done ?? []);
  if (!isVoid) {
    const former = [...attempts];
    for (const [i, step] of steps.entries()) {
      if (!holds(i) || before?.held[i] === '1') continue;
      const from = steps[i - 1]?.expr === step.expr ? former[i - 1] : attempts[i - 1];
      const times = extend(step, i, from, atMs);
      if (times === undefined || !fresh(times)) continue;
      if (i < last) attempts[i] = times;
      else if (done.length === 0) done = times; // an earlier one that settles is not put off
    }
  }
  for (const [i, times] of attempts.entries()) if (isSpent(pattern, i, times, atMs)) attempts[i] = [];
  const isSettled = done.length > 0 && atMs - (done[last] as number) >= settleMs;
  const found = isSettled
    ? { value: ((done[last] as number) - (done[0] as number)) / 1_000, explain: () => explain(pattern, done) }
    : undefined;
  const row = { held, attempts, done, told: isSettled };
  if (!held.includes('1') && row.done.length === 0 && attempts.every((times) => times.length === 0)) return { row: undefined, found };
  return { row: before && isSame(before, row) ? before : row, found };
}

function extend(step: Step, i: number, from: readonly number[] | undefined, atMs: number): readonly number[] | undefined {
  if (i === 0) return [atMs];
  if (from === undefined || from.length === 0) return undefined;
  if (step.withinMs !== undefined && atMs - (from.at(-1) as number) > step.withinMs) return undefined;
  return [...from, atMs];
}

/** An attempt that no later beginning can lead on. */
function isSpent({ steps, withinMs }: SequencePattern, i: number, times: readonly number[], atMs: number): boolean {
  const [first, latest] = [times[0], times.at(-1)];
  if (first === undefined || latest === undefined) return false;
  const nextMs = steps[i + 1]?.withinMs;
  return (nextMs !== undefined && atMs - latest >= nextMs) || (withinMs !== undefined && atMs - first >= withinMs);
}

function isSame(a: SequenceRow, b: SequenceRow): boolean {
  return (
    a.held === b.held &&
    a.told === b.told &&
    a.done.join() === b.done.join() &&
    a.attempts.map((t) => t.join()).join(';') === b.attempts.map((t) => t.join()).join(';')
  );
}

function explain({ steps, without, settleMs }: SequencePattern, times: readonly number[]): string {
  const told = steps.map(({ name }, i) => `${name} began at ${isoSecond(times[i] as number)}`).join(', then ');
  if (without.length === 0) return told;
  const none = without.map(({ name }) => name).join(' or ');
  const end = settleMs > 0 ? ` and for ${formatDuration(settleMs)} after it` : '';
  return `${told}, without ${none} in between${end}`;
}
