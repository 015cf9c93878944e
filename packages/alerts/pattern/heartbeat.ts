import { formatDuration } from '#core/duration.ts';
import type { Observed, Seen } from './observation.ts';
import type { HeartbeatPattern } from './pattern.ts';
import { isoSecond } from './words.ts';

/** Since when a series is there without a gap and, once it is not, when that was first noticed. While it is there nothing changes. */
export interface HeartbeatRow {
  readonly sinceMs: number;
  readonly missedMs?: number | undefined;
}

/** Learns which series there are, and finds those that are missing for long enough; one that is missing too long is forgotten. */
export function observeHeartbeat(
  pattern: HeartbeatPattern,
  before: HeartbeatRow | undefined,
  { values, atMs }: Seen,
): Observed<HeartbeatRow> {
  if (values[0] !== undefined) {
    if (before === undefined) return { row: { sinceMs: atMs } };
    if (before.missedMs === undefined) return { row: before };
    const wasGone = atMs - before.missedMs >= pattern.missingForMs;
    return { row: { sinceMs: wasGone ? atMs : before.sinceMs } };
  }
  if (before === undefined) return { row: undefined };
  const missedMs = before.missedMs ?? atMs;
  if (missedMs - before.sinceMs < pattern.seenForMs || atMs - missedMs >= pattern.forgetAfterMs) return { row: undefined };
  const row = before.missedMs === undefined ? { ...before, missedMs } : before;
  if (atMs - missedMs < pattern.missingForMs) return { row };
  return { row, found: { value: (atMs - missedMs) / 1_000, explain: () => explain(pattern, row, missedMs) } };
}

function explain({ condition, missingForMs }: HeartbeatPattern, { sinceMs }: HeartbeatRow, missedMs: number): string {
  return `${condition.name} was there since ${isoSecond(sinceMs)} and is missing since ${isoSecond(missedMs)}, for ${formatDuration(missingForMs)} and more`;
}
