import type { Windows } from './windows.ts';

/** max_over_time(); NaN only where nothing else is in the window. */
export const fillMaximum = (windows: Windows): number => fillExtreme(windows, 1, false, false);
/** min_over_time() */
export const fillMinimum = (windows: Windows): number => fillExtreme(windows, -1, false, false);
/** ts_of_max_over_time(): the latest time at which the greatest value stood, in seconds. */
export const fillTimeOfMaximum = (windows: Windows): number => fillExtreme(windows, 1, true, true);
/** ts_of_min_over_time() */
export const fillTimeOfMinimum = (windows: Windows): number => fillExtreme(windows, -1, true, true);

/** Looks only at what is new in a window as long as the winner of the window before is still in it. */
function fillExtreme(windows: Windows, sign: number, latest: boolean, asTime: boolean): number {
  const { ts, value, lo, hi, values, present, base } = windows;
  let winner = -1;
  let seen = 0; // samples before this one have been compared with the winner
  let points = 0;
  for (let i = 0; i < lo.length; i++) {
    const from = lo[i] as number;
    const end = hi[i] as number;
    if (end === from) continue;
    if (winner < from) {
      winner = from;
      seen = from + 1;
    }
    let best = sign * (value[winner] as number);
    for (let k = seen; k < end; k++) {
      const x = sign * (value[k] as number);
      if (x > best || Number.isNaN(best) || (latest && x === best)) {
        best = x;
        winner = k;
      }
    }
    seen = end;
    values[base + i] = asTime ? (ts[winner] as number) / 1000 : (value[winner] as number);
    present[base + i] = 1;
    points++;
  }
  return points;
}
