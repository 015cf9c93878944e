/**
 * The quantile of values in order, linear between the two nearest ranks. `nans` values NaN count as smaller than all and
 * come before `sorted[0]`; `count` numbers follow. Outside [0, 1] it is infinite, without values NaN.
 */
export function quantileOfSorted(q: number, sorted: Float64Array, count: number, nans: number): number {
  const n = count + nans;
  if (n === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const rank = q * (n - 1);
  const floor = Math.floor(rank);
  const lower = Math.max(0, floor);
  const upper = Math.min(n - 1, lower + 1);
  const weight = rank - floor;
  const below = lower < nans ? Number.NaN : (sorted[lower - nans] as number);
  const above = upper < nans ? Number.NaN : (sorted[upper - nans] as number);
  return below * (1 - weight) + above * weight;
}
