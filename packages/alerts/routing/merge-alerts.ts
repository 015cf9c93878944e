import type { Alert } from '#model/alert.ts';
import { isResolved } from './flush.ts';

/** An alert as a sender told it. */
export interface ReceivedAlert extends Alert {
  /** Its end was not told, but is a guess: when it counts as resolved if nobody tells it again. */
  readonly endIsTimeout?: boolean | undefined;
}

/**
 * What is held of an alert after it is told again, its labels being the same. Activity that overlaps is one activity: the earliest
 * start, everything else from the later update, and the later end where that was told and not guessed. What does not overlap
 * begins anew.
 */
export function mergeAlerts(held: ReceivedAlert | undefined, told: ReceivedAlert, nowMs: number): ReceivedAlert {
  if (!held || !overlaps(held, told)) return told;
  const [older, younger] = told.updatedAtMs < held.updatedAtMs ? [told, held] : [held, told];
  const laterEnd = older.endsAtMs > younger.endsAtMs;
  const keepsEnd = isResolved(younger, nowMs) ? laterEnd && isResolved(older, nowMs) : laterEnd && older.endIsTimeout !== true;
  return {
    ...younger,
    startsAtMs: Math.min(older.startsAtMs, younger.startsAtMs),
    endsAtMs: keepsEnd ? older.endsAtMs : younger.endsAtMs,
  };
}

function overlaps(held: Alert, told: Alert): boolean {
  return within(told.endsAtMs, held) || within(told.startsAtMs, held);
}

function within(ms: number, { startsAtMs, endsAtMs }: Alert): boolean {
  return ms > startsAtMs && ms < endsAtMs;
}
