import type { DeliverResult } from './deliver/deliver-notifications.ts';
import type { DispatchReport } from './dispatch/dispatch.ts';
import type { EvaluateResult } from './evaluate/evaluate-rules.ts';

/** Told of what the alert functions did, for whoever watches them. */
export interface AlertObserver {
  readonly evaluated: (result: EvaluateResult) => void;
  readonly dispatched: (reports: readonly DispatchReport[]) => void;
  readonly delivered: (result: DeliverResult) => void;
}
