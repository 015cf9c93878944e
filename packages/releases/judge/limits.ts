/** A condition on one measurement; all that are named have to hold. */
export interface Condition {
  readonly above?: number | undefined;
  readonly atLeast?: number | undefined;
  readonly below?: number | undefined;
  readonly atMost?: number | undefined;
}

/** What one measurement says, by the names of Argo Rollouts. */
export type Phase = 'successful' | 'failed' | 'inconclusive' | 'error';

export interface Conditions {
  readonly success?: Condition | undefined;
  readonly failure?: Condition | undefined;
}

/** How many of which measurements are borne. */
export interface Limits {
  /** Measurements to take; undefined for as many as there are looks for. */
  readonly count?: number | undefined;
  /** More failed ones than this fail; -1 for no limit. */
  readonly failureLimit: number;
  readonly inconclusiveLimit: number;
  readonly consecutiveErrorLimit: number;
  /** As many successful ones in a row pass; 0 for no such rule. */
  readonly consecutiveSuccessLimit: number;
}

/** What was counted so far. Errors are no measurements: they do not add to `count`. */
export interface Counts {
  readonly count: number;
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly error: number;
  readonly consecutiveError: number;
  readonly consecutiveSuccess: number;
}

export const noCounts: Counts = {
  count: 0,
  successful: 0,
  failed: 0,
  inconclusive: 0,
  error: 0,
  consecutiveError: 0,
  consecutiveSuccess: 0,
};

/**
 * What a measurement says, as Argo Rollouts has it: failed where the condition of failure holds; successful where that of success
 * does; with only one of them, the other of what it is not; inconclusive where there are both and neither holds. No value, or NaN, is an error.
 */
export function assessMeasurement({ success, failure }: Conditions, value: number | undefined): Phase {
  if (value === undefined || Number.isNaN(value)) return 'error';
  if (failure && holds(failure, value)) return 'failed';
  if (success) return holds(success, value) ? 'successful' : failure ? 'inconclusive' : 'failed';
  return 'successful';
}

function holds({ above, atLeast, below, atMost }: Condition, value: number): boolean {
  return !(
    (above !== undefined && !(value > above)) ||
    (atLeast !== undefined && !(value >= atLeast)) ||
    (below !== undefined && !(value < below)) ||
    (atMost !== undefined && !(value <= atMost))
  );
}

export function countMeasurement(counts: Counts, phase: Phase): Counts {
  const isError = phase === 'error';
  return {
    ...counts,
    [phase]: counts[phase] + 1,
    count: counts.count + (isError ? 0 : 1),
    consecutiveError: isError ? counts.consecutiveError + 1 : 0,
    consecutiveSuccess: phase === 'successful' ? counts.consecutiveSuccess + 1 : 0,
  };
}

/** What the counts come to. `error` is a metric that could not be measured; undefined: measure on. */
export type LimitsOutcome = Phase | undefined;

/**
 * What the counts come to, in the order in which Argo Rollouts asks: failures, inconclusive ones, errors in a row, successes in a row, the
 * count. Where only successes in a row can pass, a count that runs out without them is inconclusive.
 */
export function assessCounts(counts: Counts, limits: Limits): LimitsOutcome {
  if (limits.failureLimit >= 0 && counts.failed > limits.failureLimit) return 'failed';
  if (counts.inconclusive > limits.inconclusiveLimit) return 'inconclusive';
  if (counts.consecutiveError > limits.consecutiveErrorLimit) return 'error';
  const needsRow = limits.consecutiveSuccessLimit > 0;
  if (needsRow && counts.consecutiveSuccess >= limits.consecutiveSuccessLimit) return 'successful';
  if (limits.count === undefined || counts.count < limits.count) return undefined;
  return needsRow ? 'inconclusive' : 'successful';
}
