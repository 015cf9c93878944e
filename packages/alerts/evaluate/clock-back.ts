import type { ActiveAlert, RuleState } from '#alerts/rules/rule-state.ts';
import { MINUTE_MS } from '#core/time.ts';

/** Clocks of two machines may differ by less. */
const SLACK_MS = 5 * MINUTE_MS;

/** True for a time that only a clock can have given that has gone back since. */
export function isAhead(ms: number, nowMs: number): boolean {
  return ms > nowMs + SLACK_MS;
}

/**
 * What rules remember, with times that have not come yet brought back to now: what waits for them would wait as long as the clock was wrong.
 * Patterns start anew, which have times of their own; what anomaly detectors have learned of series is kept.
 */
export function turnBack(states: readonly RuleState[], nowMs: number): readonly RuleState[] {
  const atMost = <T extends number | undefined>(ms: T): T | number => (ms === undefined ? ms : Math.min(ms, nowMs));
  const turn = (alert: ActiveAlert): ActiveAlert => ({
    ...alert,
    activeAtMs: atMost(alert.activeAtMs),
    firedAtMs: atMost(alert.firedAtMs),
    resolvedAtMs: atMost(alert.resolvedAtMs),
    keepFiringSinceMs: atMost(alert.keepFiringSinceMs),
  });
  return states.map(({ memory, ...state }) => {
    const kept = memory?.packed ? { memory } : {};
    return { ...state, alerts: state.alerts.map(turn), ...kept };
  });
}
