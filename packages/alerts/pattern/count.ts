import { formatDuration } from '#core/duration.ts';
import { addTime, dropOlder, type Observed, type Seen, spanInWords } from './observation.ts';
import type { CountPattern } from './pattern.ts';

/** When the condition began to hold, or held, within the window; and whether it held last. */
export interface CountRow {
  readonly held: boolean;
  readonly times: readonly number[];
}

/** Counts beginnings (or evaluations at which it holds) that are younger than the window. What holds at the very first evaluation counts as a beginning. */
export function observeCount(pattern: CountPattern, before: CountRow | undefined, { values, atMs }: Seen): Observed<CountRow> {
  const held = values[0] !== undefined;
  const kept = dropOlder(before?.times ?? [], atMs, pattern.windowMs);
  const counts = held && (pattern.counts === 'evaluations' || before?.held !== true);
  const times = counts ? addTime(kept, atMs) : kept;
  const found = times.length >= pattern.times ? { value: times.length, explain: () => explain(pattern, times) } : undefined;
  if (!held && times.length === 0) return { row: undefined, found };
  return { row: before?.held === held && before.times === times ? before : { held, times }, found };
}

function explain({ condition, counts, windowMs }: CountPattern, times: readonly number[]): string {
  const what =
    counts === 'beginnings' ? `${condition.name} began ${times.length} times` : `${condition.name} held at ${times.length} evaluations`;
  return `${what} within ${formatDuration(windowMs)}, ${spanInWords(times)}`;
}
