import { formatDuration } from '#core/duration.ts';
import { addTime, dropOlder, type Observed, type Seen, spanInWords } from './observation.ts';
import type { FlappingPattern } from './pattern.ts';

/** When the condition came or went within the window; and whether it held last. */
export interface FlappingRow {
  readonly held: boolean;
  readonly times: readonly number[];
}

/** Counts changes between holding and not holding that are younger than the window. What holds at the very first evaluation is no change. */
export function observeFlapping(
  pattern: FlappingPattern,
  before: FlappingRow | undefined,
  { values, atMs, isFirst }: Seen,
): Observed<FlappingRow> {
  const held = values[0] !== undefined;
  const kept = dropOlder(before?.times ?? [], atMs, pattern.windowMs);
  const isChange = held !== (before?.held ?? false) && !isFirst;
  const times = isChange ? addTime(kept, atMs) : kept;
  const found = times.length >= pattern.changes ? { value: times.length, explain: () => explain(pattern, times) } : undefined;
  if (!held && times.length === 0) return { row: undefined, found };
  return { row: before?.held === held && before.times === times ? before : { held, times }, found };
}

function explain({ condition, windowMs }: FlappingPattern, times: readonly number[]): string {
  return `${condition.name} came or went ${times.length} times within ${formatDuration(windowMs)}, ${spanInWords(times)}`;
}
