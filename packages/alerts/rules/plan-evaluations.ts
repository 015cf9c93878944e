import { alignDown } from '#core/time.ts';

/** Which evaluations of a group are due. */
export interface EvaluationPlan {
  /** Times in ms, ascending. */
  readonly timesMs: readonly number[];
  /** Older ones that are left out, since there are more than may be caught up with. */
  readonly skipped: number;
}

export interface PlanInput {
  readonly intervalMs: number;
  /** The last time that was evaluated; undefined for a group that never was: it begins with the latest time. */
  readonly lastMs: number | undefined;
  readonly nowMs: number;
  /** Most evaluations at once; the latest are the ones that are done. */
  readonly maxCatchUp: number;
}

/**
 * The evaluation times of a group that have come and are not done: the multiples of its interval. Prometheus shifts each group by a hash of its
 * name to spread its load over the interval; here an evaluation is a function that runs once a minute in any case, and at multiples every
 * group, replica and catch-up agrees on the times without knowing of the others. A clock that goes back gives no times.
 */
export function planEvaluations({ intervalMs, lastMs, nowMs, maxCatchUp }: PlanInput): EvaluationPlan {
  const latest = alignDown(nowMs, intervalMs);
  if (lastMs === undefined) return { timesMs: [latest], skipped: 0 };
  const first = alignDown(lastMs, intervalMs) + intervalMs;
  if (first > latest) return { timesMs: [], skipped: 0 };
  const due = Math.round((latest - first) / intervalMs) + 1;
  const count = Math.min(due, Math.max(1, maxCatchUp));
  return { timesMs: Array.from({ length: count }, (_, i) => latest - (count - 1 - i) * intervalMs), skipped: due - count };
}
