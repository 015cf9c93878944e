import type { Windows } from './windows.ts';

/**
 * rate() and increase() over a series of deltas: the sum of the window's values, not extrapolated, since each value says
 * what happened until its time. Where cumulative samples stand in between, growth from one to the next is added.
 */
export function increaseOfDeltas(windows: Windows, isRate: boolean): number {
  const { value, lo, hi, rangeMs, values, present, base } = windows;
  const delta = windows.delta as Uint8Array;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const first = lo[i] as number;
    const end = hi[i] as number;
    let deltas = 0;
    let sum = 0;
    let rest = 0;
    for (let k = first; k < end; k++) {
      let added = value[k] as number;
      if (delta[k] === 1) deltas++;
      else if (k === first || delta[k - 1] === 1) continue;
      else if (added >= (value[k - 1] as number)) added -= value[k - 1] as number;
      const total = sum + added;
      rest += Math.abs(sum) >= Math.abs(added) ? sum - total + added : added - total + sum;
      sum = total;
    }
    if (deltas === 0 && end - first < 2) continue;
    const increase = Number.isFinite(sum) ? sum + rest : sum;
    values[base + i] = isRate ? increase / (rangeMs / 1000) : increase;
    present[base + i] = 1;
    points++;
  }
  return points;
}
