/** What was measured of one arm, step by step; every number is finite. */
export interface Arm {
  readonly values: Float64Array;
  /** Of a ratio: what `values` is a part of, 0 or more. */
  readonly totals?: Float64Array | undefined;
}

/** Which property of the arms is compared. */
export type Comparison =
  | { readonly kind: 'mean' }
  | { readonly kind: 'ratio' }
  | { readonly kind: 'quantile'; readonly quantile: number }
  | { readonly kind: 'mann-whitney' };

/** One number per step, of which the mean is compared. */
export interface Scores {
  readonly canary: Float64Array;
  readonly baselines: readonly Float64Array[];
}

/**
 * Turns any comparison into one of means.
 *
 * - `mean`: the values.
 * - `ratio`: sum of values R over sum of totals, linearised: R + (value - R total)/mean total, whose mean is R (the delta method). A step without
 *   traffic weighs nothing.
 * - `quantile`: 1 above the quantile of both arms together, 1/2 at it, 0 below: equal quantiles have equal shares above.
 * - `mann-whitney`: mid-ranks in both arms together, from 0 to 1; the difference of means is P(canary > baseline) + P(equal)/2 - 1/2 (Conover and Iman 1981).
 */
export function scoreArms(comparison: Comparison, canary: Arm, baselines: readonly Arm[]): Scores {
  const score = makeScore(comparison, [canary, ...baselines]);
  return { canary: score(canary), baselines: baselines.map(score) };
}

function makeScore(comparison: Comparison, arms: readonly Arm[]): (arm: Arm) => Float64Array {
  switch (comparison.kind) {
    case 'mean':
      return ({ values }) => values;
    case 'ratio':
      return linearise;
    case 'quantile': {
      const level = quantileOf(pool(arms), comparison.quantile);
      return ({ values }) => values.map((value) => (value > level ? 1 : value === level ? 0.5 : 0));
    }
    case 'mann-whitney':
      return rankIn(pool(arms));
  }
}

function linearise({ values, totals }: Arm): Float64Array {
  const whole = sum(totals as Float64Array);
  const ratio = sum(values) / whole;
  const mean = whole / values.length;
  return values.map((value, i) => ratio + (value - ratio * (totals?.[i] as number)) / mean);
}

function rankIn(sorted: Float64Array): (arm: Arm) => Float64Array {
  return ({ values }) => values.map((value) => (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / (2 * sorted.length));
}

/** How many are less than `value`, or at most `value`. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = sorted[middle] as number;
    if (at < value || (orEqual && at === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is told of arms, taken together: mean, ratio, quantile, and for ranks the median. */
export function levelOf(comparison: Comparison, arms: readonly Arm[]): number {
  if (comparison.kind === 'ratio')
    return arms.reduce((total, arm) => total + sum(arm.values) / sum(arm.totals as Float64Array), 0) / arms.length;
  if (comparison.kind === 'mean') return arms.reduce((total, arm) => total + sum(arm.values) / arm.values.length, 0) / arms.length;
  return quantileOf(pool(arms), comparison.kind === 'quantile' ? comparison.quantile : 0.5);
}

function pool(arms: readonly Arm[]): Float64Array {
  const all = new Float64Array(arms.reduce((total, { values }) => total + values.length, 0));
  let at = 0;
  for (const { values } of arms) {
    all.set(values, at);
    at += values.length;
  }
  return all.sort();
}

/** Of ascending values, between neighbours by straight line (type 7 of Hyndman and Fan). */
function quantileOf(sorted: Float64Array, quantile: number): number {
  const at = (sorted.length - 1) * quantile;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
