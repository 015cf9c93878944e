import type { DeliverResult } from './deliver/deliver-notifications.ts';
import type { DispatchReport } from './dispatch/dispatch.ts';
import type { EvaluateResult } from './evaluate/evaluate-rules.ts';

/** Told of what the alert functions did, for whoever watches them. */
export interface AlertObserver {
  /** At the end of a run. */
  readonly evaluated: (result: EvaluateResult, nowMs: number) => void;
  readonly dispatched: (reports: readonly DispatchReport[]) => void;
  readonly delivered: (result: DeliverResult) => void;
}
