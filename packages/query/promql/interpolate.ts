/**
 * The value on the straight line between samples `at` and `at + 1` at `time`. A counter that fell between them is taken to
 * have begun at 0 again at the first.
 */
export function interpolate(ts: Float64Array, value: Float64Array, at: number, time: number, isCounter: boolean): number {
  const t1 = ts[at] as number;
  const t2 = ts[at + 1] as number;
  const y2 = value[at + 1] as number;
  let y1 = value[at] as number;
  if (isCounter && y2 < y1) y1 = 0;
  return y1 + ((y2 - y1) * (time - t1)) / (t2 - t1);
}
