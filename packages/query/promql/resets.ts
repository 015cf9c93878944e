import { emptyResets, findResets } from './counter-resets.ts';
import { firstCounted } from './over-time.ts';
import type { Windows } from './windows.ts';

const resets = emptyResets();

/** resets(): how often the counter began anew, by value or by start time. Deltas neither fall nor begin. */
export function fillResets(windows: Windows): number {
  const { ts, value, startTs, delta, lo, hi, values, present, base } = windows;
  findResets(ts, value, startTs, resets);
  if (delta) forgetDeltas(delta);
  let next = 0;
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = firstCounted(windows, i);
    if (from < 0) continue;
    while (next < resets.count && (resets.at[next] as number) <= from) next++;
    let counted = next;
    while (counted < resets.count && (resets.at[counted] as number) < (hi[i] as number)) counted++;
    values[base + i] = counted - next;
    present[base + i] = 1;
    points++;
  }
  return points;
}

/** Takes out what only looks like a reset because one of the two samples is a delta. */
function forgetDeltas(delta: Uint8Array): void {
  let kept = 0;
  for (let r = 0; r < resets.count; r++) {
    const at = resets.at[r] as number;
    if (delta[at] !== 1 && delta[at - 1] !== 1) resets.at[kept++] = at;
  }
  resets.count = kept;
}
