import { rankShifted } from './mann-whitney.ts';

/** What is told of one arm of a metric; all zero for an empty one. `std` is the sample's (n - 1), 0 for one value. */
export interface MetricStatistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly count: number;
}

/** Sum over n, then once more over what is left: exact where the sum would round. NaN for no values. */
export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const first = sum / values.length;
  let rest = 0;
  for (const value of values) rest += value - first;
  return first + rest / values.length;
}

/** Of `degrees` = n - 1 for a sample, n for a population; corrected for the mean's rounding (Chan, Golub and LeVeque 1983). */
export function deviationOf(values: Float64Array, degrees: number): number {
  if (degrees <= 0) return 0;
  const mean = meanOf(values);
  let [squares, rest] = [0, 0];
  for (const value of values) {
    squares += (value - mean) ** 2;
    rest += value - mean;
  }
  return Math.sqrt(Math.max(0, squares - rest ** 2 / values.length) / degrees);
}

/** Least, greatest, mean, deviation and count. */
export function summarize(values: Float64Array): MetricStatistics {
  if (values.length === 0) return { min: 0, max: 0, mean: 0, std: 0, count: 0 };
  let [min, max] = [values[0], values[0]];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max, mean: meanOf(values), std: deviationOf(values, values.length - 1), count: values.length };
}

/** The percentile p, 0 to 100, of sorted values: linear between position floor and ceiling of (n - 1) p (R's type 7). NaN for no values. */
export function percentileOf(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = ((sorted.length - 1) * p) / 100;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below + (position - Math.floor(position)) * (above - below);
}

/** Mean of the experiment over mean of the control; NaN where either is 0, since nothing can be said of it then. */
export function meanRatio(control: Float64Array, experiment: Float64Array): number {
  const [ofControl, ofExperiment] = [meanOf(control), meanOf(experiment)];
  return ofControl === 0 || ofExperiment === 0 ? Number.NaN : ofExperiment / ofControl;
}

/** The chance that a value of the experiment exceeds one of the control, ties half (Vargha and Delaney 2000). NaN where either is empty. */
export function commonLanguageEffect(control: Float64Array, experiment: Float64Array): number {
  const [m, n] = [experiment.length, control.length];
  const { rankSum } = rankShifted({ x: experiment.slice().sort(), y: control.slice().sort() }, 0);
  return (2 * rankSum - m * (m + 1)) / (2 * m * n);
}

/** Difference of the means in pooled deviations, without its sign (Cohen's d). NaN where neither arm varies, or there are no two values. */
export function cohenD(control: Float64Array, experiment: Float64Array): number {
  const [c, e] = [summarize(control), summarize(experiment)];
  const pooled = Math.sqrt(((e.count - 1) * e.std ** 2 + (c.count - 1) * c.std ** 2) / (c.count + e.count - 2));
  return pooled > 0 ? Math.abs(e.mean - c.mean) / pooled : Number.NaN;
}
