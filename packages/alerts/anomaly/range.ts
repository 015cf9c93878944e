import type { DetectorParameters } from './parameters.ts';

/** Where a feature has been, slowly forgotten. */
export interface Range {
  count: number;
  low: number;
  high: number;
  mean: number;
}

/** So many values are taken as they are. */
const FIRST = 10;
/** An excess beyond this many widths says no more. */
const MOST = 3;

export function createRange(): Range {
  return { count: 0, low: 0, high: 0, mean: 0 };
}

/**
 * How far beyond the range a value lies, in units of what is usual for a new record: of n normal values the largest exceeds the
 * largest before by sigma / sqrt(2 ln n) on average, exponentially distributed, and all lie within 2 sigma sqrt(2 ln n); so the
 * mean excess is 1 / (4 ln n) of the width (Leadbetter, Lindgren, Rootzen, "Extremes", 1983, theorem 1.5.3). 0 inside the range.
 * `floor` is the least width that is not rounding.
 */
export function excessOf(range: Range, value: number, floor: number, parameters: DetectorParameters): number {
  const over = Math.max(value - range.high, range.low - value);
  if (!(over > 0) || range.count < parameters.warmupSamples) return 0;
  return Math.min(MOST, over / Math.max(range.high - range.low, floor)) / usualExcess(range, parameters);
}

/** Where the excess reaches 1 with this weight; infinite while the range is not known. */
export function limitsOf(range: Range, weight: number, floor: number, parameters: DetectorParameters): { low: number; high: number } {
  if (range.count < parameters.warmupSamples) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const margin = (Math.max(range.high - range.low, floor) * usualExcess(range, parameters)) / weight;
  return { low: range.low - margin, high: range.high + margin };
}

function usualExcess({ count }: Range, { memorySamples }: DetectorParameters): number {
  return 1 / (4 * Math.log(Math.min(count + 1, memorySamples)));
}

/**
 * Takes a value in. Its ends fall back towards the mean, by half in `memorySamples`, until they are reached again. One value widens a
 * range by at most `growth` widths; `step` is what any value may widen it by.
 */
export function learnRange(range: Range, value: number, step: number, parameters: DetectorParameters): void {
  if (range.count === 0) {
    Object.assign(range, { count: 1, low: value, high: value, mean: value });
    return;
  }
  range.count++;
  const taken = limitGrowth(range, value, step, parameters);
  const rate = Math.LN2 / parameters.memorySamples;
  range.mean += (taken - range.mean) / Math.min(range.count, parameters.memorySamples);
  range.high = taken > range.high ? taken : range.high - rate * (range.high - range.mean);
  range.low = taken < range.low ? taken : range.low + rate * (range.mean - range.low);
}

/** As learnRange, for a feature whose sign means nothing: a jump up tells what jumps down are usual. */
export function learnSymmetric(range: Range, value: number, step: number, parameters: DetectorParameters): void {
  if (range.count === 0) Object.assign(range, { count: 1, low: -Math.abs(value), high: Math.abs(value), mean: 0 });
  else learnRange(range, value, step, parameters);
  range.high = Math.max(range.high, -range.low);
  range.low = -range.high;
}

/** The value, or the nearest that may widen the range at once. */
export function limitGrowth({ count, low, high }: Range, value: number, step: number, { growth }: DetectorParameters): number {
  if (count <= FIRST) return value;
  const most = Math.max(growth * (high - low), step);
  return Math.max(low - most, Math.min(high + most, value));
}
