import { addStartTimeOverlap } from './annotations.ts';
import { emptyResets, findOverlaps, findResets, isStartReset } from './counter-resets.ts';
import { overwriteDeltas } from './delta-series.ts';
import type { Windows } from './windows.ts';

const resets = emptyResets();
const overlaps = emptyResets();

/** rate(): increase per second, extrapolated to the window. */
export const fillRate = (windows: Windows): number => fillExtrapolated(windows, true, true);
/** increase(): growth of a counter over the window, resets put right, extrapolated to the window. */
export const fillIncrease = (windows: Windows): number => fillExtrapolated(windows, true, false);
/** delta(): last minus first value, extrapolated to the window. */
export const fillDelta = (windows: Windows): number => fillExtrapolated(windows, false, false);

/**
 * Prometheus' extrapolation: the difference between the window's first and last sample is scaled to the whole window, at
 * either end only as far as the next sample would be expected (1.1 times the mean distance), else by half that distance;
 * a counter is never taken below 0. A start time inside the window stands for a sample of 0 there. Windows that
 * hold deltas are summed instead. Before 3.x the point where a counter would be 0 came first and the distance was judged from there; the two
 * differ only where a counter begins inside the window.
 */
function fillExtrapolated(windows: Windows, isCounter: boolean, isRate: boolean): number {
  const { ts, value, times, lo, hi, rangeMs, values, present, base } = windows;
  const startTs = isCounter ? windows.startTs : undefined;
  if (isCounter) findResets(ts, value, startTs, resets);
  else resets.count = 0;
  if (startTs) warnOfOverlaps(windows, startTs);
  const resetAt = resets.at;
  const resetCount = resets.count;
  const rangeSeconds = rangeMs / 1000;
  const zeroFirst = windows.evaluation.extrapolation === '2.x';
  let nextReset = 0; // first reset past the window's first sample
  let points = 0;
  for (let i = 0; i < times.length; i++) {
    const first = lo[i] as number;
    const last = (hi[i] as number) - 1;
    const intervals = last - first;
    if (intervals < 0) continue;
    const firstTs = ts[first] as number;
    const firstValue = value[first] as number;
    const lastTs = ts[last] as number;
    const startMs = (times[i] as number) - rangeMs;
    const began = startTs === undefined ? Number.NaN : (startTs[first] as number);
    const beganInside = began > startMs && began < firstTs;
    if (intervals === 0 && !beganInside) continue;
    let result = (value[last] as number) - firstValue;
    while (nextReset < resetCount && (resetAt[nextReset] as number) <= first) nextReset++;
    for (let r = nextReset; r < resetCount && (resetAt[r] as number) <= last; r++) result += value[(resetAt[r] as number) - 1] as number;
    let sampled = (lastTs - firstTs) / 1000;
    const meanDistance = intervals > 0 ? sampled / intervals : 0;
    const threshold = meanDistance * 1.1;
    let toStart = (firstTs - startMs) / 1000;
    let toEnd = ((times[i] as number) - lastTs) / 1000;
    if (beganInside) {
      toStart = 0;
      sampled = (lastTs - began) / 1000;
      result += firstValue;
    } else {
      const toZero = isCounter && result > 0 && firstValue >= 0 ? sampled * (firstValue / result) : Infinity;
      if (zeroFirst && toZero < toStart) toStart = toZero;
      if (toStart >= threshold) toStart = meanDistance / 2;
      if (!zeroFirst && toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = meanDistance / 2;
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    if (isRate) factor /= rangeSeconds;
    values[base + i] = result * factor;
    present[base + i] = 1;
    points++;
  }
  return isCounter && windows.delta !== undefined ? points + overwriteDeltas(windows, windows.delta, isRate) : points;
}

/** One warning for all windows that hold a sample whose start time overlaps the sample before it. */
function warnOfOverlaps(windows: Windows, startTs: Float64Array): void {
  findOverlaps(windows.ts, startTs, overlaps);
  if (overlaps.count === 0) return;
  let occurrences = 0;
  for (let i = 0; i < windows.times.length; i++) {
    const first = windows.lo[i] as number;
    const end = windows.hi[i] as number;
    for (let o = 0; o < overlaps.count; o++) {
      const at = overlaps.at[o] as number;
      if (at <= first || at >= end) continue;
      occurrences++;
      break;
    }
  }
  if (occurrences > 0) addStartTimeOverlap(windows.evaluation.annotations, windows.series.metric, occurrences, windows.span);
}

/** irate(): increase per second between the last two samples. */
export const fillInstantRate = (windows: Windows): number => fillLastTwo(windows, true);
/** idelta(): difference between the last two samples. */
export const fillInstantDelta = (windows: Windows): number => fillLastTwo(windows, false);

function fillLastTwo(windows: Windows, isRate: boolean): number {
  const { ts, value, lo, hi, startTs, delta, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const last = (hi[i] as number) - 1;
    if (last - (lo[i] as number) < 1) continue;
    const before = last - 1;
    const interval = (ts[last] as number) - (ts[before] as number);
    let result = value[last] as number;
    const anew =
      isRate &&
      (result < (value[before] as number) ||
        delta?.[last] === 1 ||
        (startTs !== undefined &&
          isStartReset(startTs[before] as number, ts[before] as number, startTs[last] as number, ts[last] as number)));
    if (!anew) result -= value[before] as number;
    values[base + i] = isRate ? result / (interval / 1000) : result;
    present[base + i] = 1;
    points++;
  }
  return points;
}
