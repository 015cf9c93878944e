import { deviationOf, meanOf, percentileOf } from './statistics.ts';

export type NanStrategy = 'remove' | 'replace';

/** The values without those that are no finite numbers, or with 0 in the place of them. */
export function handleMissing(values: ArrayLike<number>, strategy: NanStrategy): Float64Array {
  const copy = Float64Array.from(values);
  if (strategy === 'remove') return copy.filter(Number.isFinite);
  return copy.map((value) => (Number.isFinite(value) ? value : 0));
}

/** Says of a value whether it is an outlier. */
export type IsOutlier = (value: number) => boolean;

/**
 * Outside of the quartiles by more than `factor` times the range between them (Tukey). `isWide`: the fences are at least as far as the
 * first and the 99th percentile, so that what is removed is no more than the outermost.
 */
export function outsideFences(values: Float64Array, factor: number, isWide: boolean): IsOutlier {
  const sorted = values.slice().sort();
  const [q1, q3] = [percentileOf(sorted, 25), percentileOf(sorted, 75)];
  const [low, high] = [q1 - factor * (q3 - q1), q3 + factor * (q3 - q1)];
  const lowest = isWide ? Math.min(low, percentileOf(sorted, 1)) : low;
  const highest = isWide ? Math.max(high, percentileOf(sorted, 99)) : high;
  return (value) => value < lowest || value > highest;
}

/** More than `k` deviations of the population from the mean. */
export function beyondDeviations(values: Float64Array, k: number): IsOutlier {
  const [mean, deviation] = [meanOf(values), deviationOf(values, values.length)];
  return (value) => Math.abs(value - mean) > k * deviation;
}

/** The values that are no outliers, in their order. */
export function removeOutliers(values: Float64Array, isOutlier: IsOutlier): Float64Array {
  return values.filter((value) => !isOutlier(value));
}
