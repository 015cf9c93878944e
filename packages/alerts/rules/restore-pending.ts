import type { AlertingRule } from './rule.ts';
import type { ActiveAlert, RuleState } from './rule-state.ts';

/** The last sample of an alert's `ALERTS_FOR_STATE`. */
export interface SeenActive {
  /** Its value: when the alert became active. */
  readonly activeAtMs: number;
  /** When the sample was written. */
  readonly seenAtMs: number;
}

/** As in Prometheus: at least this much pending time is left to an alert after an outage, and rules that wait less are not restored. */
export const GRACE_MS = 10 * 60_000;

/**
 * Gives pending alerts their time back after the first evaluation of a rule whose state is lost, from what `ALERTS_FOR_STATE` said, as Prometheus
 * does: `seen` by the JSON of an alert's labels. The time of the outage does not count as pending, at least 10 minutes are left to wait,
 * and an alert that had fired already fires at the next evaluation. Rules that wait less than 10 minutes are left alone.
 */
export function restorePending(rule: AlertingRule, state: RuleState, seen: ReadonlyMap<string, SeenActive>, atMs: number): RuleState {
  if (rule.forMs < GRACE_MS) return state;
  const alerts = state.alerts.map((alert): ActiveAlert => {
    const last = seen.get(alert.labels.json);
    if (last === undefined || alert.phase !== 'pending') return alert;
    return { ...alert, activeAtMs: restoredActiveAt(rule.forMs, last, atMs) };
  });
  return { ...state, alerts };
}

function restoredActiveAt(forMs: number, { activeAtMs, seenAtMs }: SeenActive, atMs: number): number {
  const remainingMs = forMs - (seenAtMs - activeAtMs);
  if (remainingMs <= 0) return activeAtMs;
  return remainingMs < GRACE_MS ? atMs + GRACE_MS - forMs : activeAtMs + (atMs - seenAtMs);
}
