import type { Windows } from './windows.ts';

/**
 * rate() and increase() of the windows that hold deltas: the sum of their values, not extrapolated, since each value says
 * what happened until its time. Where cumulative samples stand in between, growth from one to the next is added. Writes
 * over what the windows have, and returns how many had nothing.
 */
export function overwriteDeltas(windows: Windows, delta: Uint8Array, isRate: boolean): number {
  const { value, lo, hi, rangeMs, values, present, base } = windows;
  const seconds = isRate ? rangeMs / 1000 : 1;
  let fresh = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const end = hi[i] as number;
    const first = delta.indexOf(1, from);
    if (first < 0) return fresh;
    if (first >= end) continue;
    values[base + i] = increaseOf(value, delta, from, end) / seconds;
    if (present[base + i] === 1) continue;
    present[base + i] = 1;
    fresh++;
  }
  return fresh;
}

function increaseOf(value: Float64Array, delta: Uint8Array, from: number, end: number): number {
  let sum = 0;
  let rest = 0;
  for (let k = from; k < end; k++) {
    let added = value[k] as number;
    if (delta[k] !== 1) {
      if (k === from || delta[k - 1] === 1) continue;
      if (!(added < (value[k - 1] as number))) added -= value[k - 1] as number;
    }
    const total = sum + added;
    rest += Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum;
    sum = total;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}
