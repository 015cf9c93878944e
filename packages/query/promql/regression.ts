import { executionError } from '#query/query-errors.ts';
import type { Windows } from './windows.ts';

/** deriv(): the slope per second of the least-squares line through the window. */
export function fillSlope(windows: Windows): number {
  const line = { slope: 0, intercept: 0 };
  return fillFromLine(windows, (i) => {
    fitLine(windows, i, windows.ts[windows.lo[i] as number] as number, line);
    return line.slope;
  });
}

/** predict_linear(): that line's value so many seconds after the time of evaluation. */
export function fillPrediction(windows: Windows): number {
  const line = { slope: 0, intercept: 0 };
  const seconds = windows.params[0] as Float64Array;
  const now = windows.evaluation.steps.times;
  return fillFromLine(windows, (i) => {
    fitLine(windows, i, now[i] as number, line);
    return line.slope * (seconds[i] as number) + line.intercept;
  });
}

function fillFromLine(windows: Windows, compute: (i: number) => number): number {
  const { lo, hi, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    if ((hi[i] as number) - (lo[i] as number) < 2) continue;
    values[base + i] = compute(i);
    present[base + i] = 1;
    points++;
  }
  return points;
}

/** Least squares with compensated sums, x in seconds from `originMs`. A constant is its own line; a constant infinity has none. */
function fitLine({ ts, value, lo, hi }: Windows, i: number, originMs: number, line: { slope: number; intercept: number }): void {
  const from = lo[i] as number;
  const end = hi[i] as number;
  const first = value[from] as number;
  const sums = { x: 0, xRest: 0, y: 0, yRest: 0, xy: 0, xyRest: 0, xx: 0, xxRest: 0 };
  let constant = true;
  for (let k = from; k < end; k++) {
    const y = value[k] as number;
    if (k > from && y !== first) constant = false;
    const x = ((ts[k] as number) - originMs) / 1000;
    sums.xRest = restOf(sums.x, x, sums.xRest);
    sums.x += x;
    sums.yRest = restOf(sums.y, y, sums.yRest);
    sums.y += y;
    sums.xyRest = restOf(sums.xy, x * y, sums.xyRest);
    sums.xy += x * y;
    sums.xxRest = restOf(sums.xx, x * x, sums.xxRest);
    sums.xx += x * x;
  }
  if (constant) {
    line.slope = Number.isFinite(first) ? 0 : Number.NaN;
    line.intercept = Number.isFinite(first) ? first : Number.NaN;
    return;
  }
  const n = end - from;
  const x = sums.x + sums.xRest;
  const y = sums.y + sums.yRest;
  line.slope = (sums.xy + sums.xyRest - (x * y) / n) / (sums.xx + sums.xxRest - (x * x) / n);
  line.intercept = y / n - (line.slope * x) / n;
}

/** The compensation after `added` joins `sum`. */
function restOf(sum: number, added: number, rest: number): number {
  const total = sum + added;
  if (total === Infinity || total === -Infinity) return 0;
  return rest + (Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum);
}

/** double_exponential_smoothing(): Holt's linear method; both factors must lie between 0 and 1. */
export function fillSmoothing(windows: Windows): number {
  const { value, lo, hi, params, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const end = hi[i] as number;
    if (end === from) continue;
    const smoothing = checkFactor('smoothing', params[0]?.[i] as number);
    const trending = checkFactor('trend', params[1]?.[i] as number);
    if (end - from < 2) continue;
    let before = 0;
    let level = value[from] as number;
    let trend = (value[from + 1] as number) - level;
    for (let k = from + 1; k < end; k++) {
      const x = smoothing * (value[k] as number);
      if (k > from + 1) trend = trending * (level - before) + (1 - trending) * trend;
      const next = x + (1 - smoothing) * (level + trend);
      before = level;
      level = next;
    }
    values[base + i] = level;
    present[base + i] = 1;
    points++;
  }
  return points;
}

function checkFactor(name: 'smoothing' | 'trend', factor: number): number {
  if (factor <= 0 || factor >= 1) {
    const letter = name === 'smoothing' ? 'sf' : 'tf';
    throw executionError(`invalid ${name} factor. Expected: 0 < ${letter} < 1, got: ${factor.toFixed(6)}`);
  }
  return factor;
}
