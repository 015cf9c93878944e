import { interpolate } from './interpolate.ts';
import type { Windows } from './windows.ts';

/** rate() over an anchored or smoothed range. */
export const fillExtendedRate = (windows: Windows): number => fillExtended(windows, true, true);
/** increase() over an anchored or smoothed range. */
export const fillExtendedIncrease = (windows: Windows): number => fillExtended(windows, true, false);
/** delta() over an anchored or smoothed range. */
export const fillExtendedDelta = (windows: Windows): number => fillExtended(windows, false, false);

/**
 * The difference between the two ends of the range, not extrapolated. Anchored: the values are those of the last sample at
 * or before each end (or the first one inside). Smoothed: they are interpolated between the samples around each end. The
 * windows reach beyond the range by the look-back, on the left, and when smoothed on the right too.
 */
function fillExtended(windows: Windows, isCounter: boolean, isRate: boolean): number {
  const { ts, value, times, lo, hi, rangeMs, smoothed, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < times.length; i++) {
    const from = lo[i] as number;
    let last = (hi[i] as number) - 1;
    if (last < from) continue;
    const endMs = times[i] as number;
    const startMs = endMs - rangeMs;
    let first = from;
    while (first < last && (ts[first + 1] as number) <= startMs) first++;
    if (smoothed) last = firstAtOrAfter(ts, from, last, endMs);
    if ((ts[last] as number) <= startMs) continue;
    if (smoothed && (ts[first] as number) > endMs) continue;
    const left = smoothed && (ts[first] as number) < startMs ? interpolate(ts, value, first, startMs, isCounter) : (value[first] as number);
    const cut = smoothed && last > from && (ts[last] as number) > endMs;
    const right = cut ? interpolate(ts, value, last - 1, endMs, isCounter) : (value[last] as number);
    let result = right - left;
    if (isCounter) {
      const inner = (ts[first] as number) <= startMs ? first + 1 : first;
      const innerEnd = (ts[last] as number) >= endMs ? last : last + 1;
      result += correctResets(value, left, right, inner, innerEnd);
    }
    values[base + i] = isRate ? result / (rangeMs / 1000) : result;
    present[base + i] = 1;
    points++;
  }
  return points;
}

function firstAtOrAfter(ts: Float64Array, from: number, last: number, time: number): number {
  let at = from;
  while (at < last && (ts[at] as number) < time) at++;
  return at;
}

function correctResets(value: Float64Array, left: number, right: number, from: number, end: number): number {
  let correction = 0;
  let before = left;
  for (let k = from; k < end; k++) {
    const current = value[k] as number;
    if (current < before) correction += before;
    before = current;
  }
  return right < before ? correction + before : correction;
}
