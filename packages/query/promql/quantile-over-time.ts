import { addInvalidQuantile } from './annotations.ts';
import type { Span } from './ast.ts';
import { quantileOfSorted } from './quantile.ts';
import type { Windows } from './windows.ts';

/** The numbers of the current window in order, kept from step to step. */
let sorted = new Float64Array(256);

/** quantile_over_time(): keeps the window sorted while it slides, one insertion and one removal a sample. */
export function fillQuantile(windows: Windows): number {
  const { value, lo, hi, params, values, present, base } = windows;
  const q = params[0] as Float64Array;
  let count = 0;
  let nans = 0;
  let from = 0;
  let end = 0;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const nextFrom = lo[i] as number;
    const nextEnd = hi[i] as number;
    if (nextFrom >= end) {
      from = nextFrom;
      end = nextFrom;
      count = 0;
      nans = 0;
    }
    const fresh = nextEnd - end;
    if (count + fresh > sorted.length) sorted = growSorted(sorted, count, count + fresh);
    if (fresh > 8 && fresh * 4 > count) {
      // More is new than is worth inserting one by one.
      for (; from < nextFrom; from++) {
        const x = value[from] as number;
        if (Number.isNaN(x)) nans--;
        else removeSorted(x, count--);
      }
      for (; end < nextEnd; end++) {
        const x = value[end] as number;
        if (Number.isNaN(x)) nans++;
        else sorted[count++] = x;
      }
      sorted.subarray(0, count).sort();
    } else {
      for (; end < nextEnd; end++) {
        const x = value[end] as number;
        if (Number.isNaN(x)) nans++;
        else insertSorted(x, count++);
      }
      for (; from < nextFrom; from++) {
        const x = value[from] as number;
        if (Number.isNaN(x)) nans--;
        else removeSorted(x, count--);
      }
    }
    if (nextEnd === nextFrom) continue;
    const rank = q[i] as number;
    if (!(rank >= 0 && rank <= 1)) addInvalidQuantile(windows.evaluation.annotations, rank, windows.argSpans[0] as Span);
    values[base + i] = quantileOfSorted(rank, sorted, count, nans);
    present[base + i] = 1;
    points++;
  }
  return points;
}

/** First index whose number is not below x, among the first `count`. */
function searchSorted(x: number, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Beyond this many numbers a block move is faster than a loop. */
const longWindow = 256;

function insertSorted(x: number, count: number): void {
  let at = count;
  const numbers = sorted;
  if (count > longWindow) {
    at = searchSorted(x, count);
    numbers.copyWithin(at + 1, at, count);
  }
  while (at > 0 && (numbers[at - 1] as number) > x) {
    numbers[at] = numbers[at - 1] as number;
    at--;
  }
  numbers[at] = x;
}

function removeSorted(x: number, count: number): void {
  const numbers = sorted;
  const found = searchSorted(x, count);
  if (count > longWindow) numbers.copyWithin(found, found + 1, count);
  else for (let at = found + 1; at < count; at++) numbers[at - 1] = numbers[at] as number;
}

function growSorted(old: Float64Array<ArrayBuffer>, count: number, needed: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(Math.max(needed, old.length * 2));
  grown.set(old.subarray(0, count));
  return grown;
}

let deviations = new Float64Array(256);

/** mad_over_time(): the median of the distances from the median; NaN where a sample is. */
export function fillMedianDeviation(windows: Windows): number {
  const { value, lo, hi, values, present, base } = windows;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const count = (hi[i] as number) - from;
    if (count === 0) continue;
    if (count > deviations.length) deviations = new Float64Array(count * 2);
    const window = deviations.subarray(0, count);
    window.set(value.subarray(from, from + count));
    values[base + i] = window.includes(Number.NaN) ? Number.NaN : medianDeviation(window);
    present[base + i] = 1;
    points++;
  }
  return points;
}

function medianDeviation(window: Float64Array): number {
  window.sort();
  const median = quantileOfSorted(0.5, window, window.length, 0);
  for (let k = 0; k < window.length; k++) window[k] = Math.abs((window[k] as number) - median);
  window.sort();
  return quantileOfSorted(0.5, window, window.length, 0);
}
