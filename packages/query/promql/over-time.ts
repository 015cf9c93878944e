import type { Windows } from './windows.ts';

/** sum_over_time(), with Neumaier's compensation as Prometheus has it. */
export function fillSum(windows: Windows): number {
  return fillWindows(windows, sumOf);
}

/** avg_over_time(): the compensated sum over the count; a running mean where the sum would overflow. */
export function fillAverage(windows: Windows): number {
  return fillWindows(windows, averageOf);
}

/** stdvar_over_time(): population variance by Welford's method, compensated. */
export function fillVariance(windows: Windows): number {
  return fillWindows(windows, varianceOf);
}

/** stddev_over_time() */
export function fillDeviation(windows: Windows): number {
  return fillWindows(windows, (value, from, end) => Math.sqrt(varianceOf(value, from, end)));
}

function fillWindows(windows: Windows, compute: (value: Float64Array, from: number, end: number) => number): number {
  const { value, lo, hi, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const end = hi[i] as number;
    if (end === from) continue;
    values[base + i] = compute(value, from, end);
    present[base + i] = 1;
    points++;
  }
  return points;
}

function sumOf(value: Float64Array, from: number, end: number): number {
  let sum = 0;
  let rest = 0;
  for (let k = from; k < end; k++) {
    const added = value[k] as number;
    const total = sum + added;
    if (total === Infinity || total === -Infinity) rest = 0;
    else rest += Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum;
    sum = total;
  }
  return sum === Infinity || sum === -Infinity ? sum : sum + rest;
}

function averageOf(value: Float64Array, from: number, end: number): number {
  let sum = value[from] as number;
  let rest = 0;
  for (let k = from + 1; k < end; k++) {
    const added = value[k] as number;
    const total = sum + added;
    if (total === Infinity || total === -Infinity) return runningMean(value, k, end, k - from, sum, rest);
    rest += Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum;
    sum = total;
  }
  const count = end - from;
  return sum / count + rest / count;
}

/** Goes on with the mean itself from sample k on, after `count` samples that came to `sum` and `rest`. */
function runningMean(value: Float64Array, k: number, end: number, count: number, sum: number, rest: number): number {
  const state = { mean: sum / count, rest: rest / count };
  let seen = count;
  for (let at = k; at < end; at++) addToMean(state, value[at] as number, ++seen);
  return state.mean + state.rest;
}

/** Makes the compensated mean of count - 1 values that of count values. */
export function addToMean(state: { mean: number; rest: number }, value: number, count: number): void {
  const share = (count - 1) / count;
  const sum = share * state.mean;
  const added = value / count;
  const total = sum + added;
  const before = share * state.rest;
  if (total === Infinity || total === -Infinity) state.rest = 0;
  else state.rest = before + (Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum);
  state.mean = total;
}

function varianceOf(value: Float64Array, from: number, end: number): number {
  let mean = 0;
  let meanRest = 0;
  let squares = 0;
  let squaresRest = 0;
  let count = 0;
  for (let k = from; k < end; k++) {
    const x = value[k] as number;
    count++;
    const delta = x - (mean + meanRest);
    const step = delta / count;
    const nextMean = mean + step;
    if (nextMean === Infinity || nextMean === -Infinity) meanRest = 0;
    else meanRest += Math.abs(mean) >= Math.abs(step) ? mean - nextMean + step : step - nextMean + mean;
    mean = nextMean;
    const added = delta * (x - (mean + meanRest));
    const total = squares + added;
    if (total === Infinity || total === -Infinity) squaresRest = 0;
    else squaresRest += Math.abs(squares) >= Math.abs(added) ? squares - total + added : added - total + squares;
    squares = total;
  }
  return (squares + squaresRest) / count;
}

/** count_over_time() */
export function fillCount(windows: Windows): number {
  return fillPicked(windows, (_, from, end) => end - from);
}

/** present_over_time(), and absent_over_time() before it is turned around. */
export function fillPresent(windows: Windows): number {
  return fillPicked(windows, () => 1);
}

/** first_over_time() */
export function fillFirst(windows: Windows): number {
  return fillPicked(windows, ({ value }, from) => value[from] as number);
}

/** last_over_time() */
export function fillLast(windows: Windows): number {
  return fillPicked(windows, ({ value }, _, end) => value[end - 1] as number);
}

/** ts_of_first_over_time() */
export function fillTimeOfFirst(windows: Windows): number {
  return fillPicked(windows, ({ ts }, from) => (ts[from] as number) / 1000);
}

/** ts_of_last_over_time() */
export function fillTimeOfLast(windows: Windows): number {
  return fillPicked(windows, ({ ts }, _, end) => (ts[end - 1] as number) / 1000);
}

function fillPicked(windows: Windows, pick: (windows: Windows, from: number, end: number) => number): number {
  const { lo, hi, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const end = hi[i] as number;
    if (end === from) continue;
    values[base + i] = pick(windows, from, end);
    present[base + i] = 1;
    points++;
  }
  return points;
}

/** changes(): how often a value differs from the one before; NaN equals NaN. */
export function fillChanges(windows: Windows): number {
  const { value, lo, hi, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = firstCounted(windows, i);
    const end = hi[i] as number;
    if (from < 0) continue;
    let changes = 0;
    for (let k = from + 1; k < end; k++) {
      const current = value[k] as number;
      const before = value[k - 1] as number;
      if (current !== before && !(Number.isNaN(current) && Number.isNaN(before))) changes++;
    }
    values[base + i] = changes;
    present[base + i] = 1;
    points++;
  }
  return points;
}

/**
 * Where counting starts in the window of step i, or -1 for nothing to count. An anchored window reaches back beyond its
 * range: it starts with the last sample at or before the range, and needs one inside.
 */
export function firstCounted(windows: Windows, i: number): number {
  const { ts, times, rangeMs, lookbackMs, lo, hi } = windows;
  const end = hi[i] as number;
  let from = lo[i] as number;
  if (end === from) return -1;
  if (lookbackMs === 0) return from;
  const startMs = (times[i] as number) - rangeMs;
  if ((ts[end - 1] as number) <= startMs) return -1;
  while (from + 1 < end && (ts[from + 1] as number) <= startMs) from++;
  return from;
}
