import { OpsError } from '#core/errors.ts';
import { findRoot } from './find-root.ts';
import { normalCdf, normalQuantile } from './normal.ts';

export interface MannWhitneyOptions {
  /** Of the interval, in (0, 1); 0.98 where it is left out, as Kayenta's judge has it. */
  readonly confidence?: number | undefined;
  /**
   * Whether the estimate keeps the continuity correction, as in Kayenta (the default), or drops it, as in R. The interval and the p-value
   * keep it in both.
   */
  readonly correctEstimate?: boolean | undefined;
}

export interface MannWhitneyResult {
  /** Pairs in which x is greater, ties counted half: R's W, Mann and Whitney's U of x. */
  readonly statistic: number;
  /** Two-sided, by the normal approximation with corrections for ties and continuity. NaN where all values are equal. */
  readonly pValue: number;
  /** Interval of the shift of x against y, to about 1e-4. */
  readonly lower: number;
  readonly upper: number;
  /** The shift itself (Hodges and Lehmann), to about 1e-4. */
  readonly estimate: number;
}

/**
 * The Mann-Whitney (Wilcoxon rank sum) test of x against y, with the interval and the estimate of the shift between them, as R's
 * `wilcox.test(x, y, exact = FALSE, conf.int = TRUE)`: the interval is what the corrected normal statistic does not reject, its ends found
 * by the root finder that R has. Values are finite, in any order, and are left as they are; at least one on each side. `input` otherwise,
 * and where the values of each side are all equal. Bauer (1972); Hollander and Wolfe (1999), 4.1 to 4.3. O((m + n) log(m + n)) for
 * sorting, and O(m + n) a step of the search.
 */
export function mannWhitney(x: ArrayLike<number>, y: ArrayLike<number>, options: MannWhitneyOptions = {}): MannWhitneyResult {
  const { confidence = 0.98, correctEstimate = true } = options;
  if (!(confidence > 0 && confidence < 1)) throw new OpsError('input', `a confidence is between 0 and 1; got ${confidence}`);
  const arms = { x: sorted(x), y: sorted(y) };
  const { rankSum, tieSum } = rankShifted(arms, 0);
  const m = arms.x.length;
  const z = standardize(arms, rankSum, tieSum, true);
  const bracket = bracketOf(arms);
  const quantile = normalQuantile((1 - confidence) / 2);
  return {
    statistic: rankSum - (m * (m + 1)) / 2,
    pValue: Number.isNaN(z) ? Number.NaN : Math.min(1, 2 * normalCdf(-Math.abs(z))),
    lower: endOf(arms, bracket, -quantile),
    upper: endOf(arms, bracket, quantile),
    estimate: shiftOf(arms, bracket, correctEstimate),
  };
}

/** Both arms, each from least to greatest. */
export interface SortedArms {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** A sorted copy; `input` where there is nothing to sort, or no order. */
function sorted(values: ArrayLike<number>): Float64Array {
  const copy = Float64Array.from(values);
  if (copy.length === 0) throw new OpsError('input', 'there are no values on one side');
  if (!copy.every(Number.isFinite)) throw new OpsError('input', 'values have to be finite');
  return copy.sort();
}

/**
 * The rank sum of x - mu among x - mu and y, ties averaged, and the sum of t^3 - t over groups of t tied values. Both arms are merged
 * rather than sorted again: x - mu keeps the order of x, rounded or not.
 */
export function rankShifted({ x, y }: SortedArms, mu: number): { rankSum: number; tieSum: number } {
  const [m, n] = [x.length, y.length];
  let [i, j, ranked, rankSum, tieSum] = [0, 0, 0, 0, 0];
  while (i < m || j < n) {
    const ofX = i < m ? x[i] - mu : Number.POSITIVE_INFINITY;
    const value = j < n && y[j] < ofX ? y[j] : ofX;
    const [startX, startY] = [i, j];
    while (i < m && x[i] - mu === value) i++;
    while (j < n && y[j] === value) j++;
    const tied = i - startX + j - startY;
    rankSum += (i - startX) * (ranked + (tied + 1) / 2);
    tieSum += tied * tied * tied - tied;
    ranked += tied;
  }
  return { rankSum, tieSum };
}

/** The rank sum in deviations from what it is expected to be without a shift; NaN where all values are tied. */
function standardize({ x, y }: SortedArms, rankSum: number, tieSum: number, isCorrected: boolean): number {
  const [m, n] = [x.length, y.length];
  const difference = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const correction = isCorrected ? Math.sign(difference) * 0.5 : 0;
  const deviation = Math.sqrt(((m * n) / 12) * (m + n + 1 - tieSum / ((m + n) * (m + n - 1))));
  return deviation > 0 ? (difference - correction) / deviation : Number.NaN;
}

/** How far x - mu is above y, in deviations past `quantile`: a staircase that falls as mu grows. `input` where all values are tied. */
export function differenceAt(arms: SortedArms, mu: number, quantile: number, isCorrected = true): number {
  const { rankSum, tieSum } = rankShifted(arms, mu);
  const difference = standardize(arms, rankSum, tieSum, isCorrected);
  if (Number.isNaN(difference)) throw new OpsError('input', 'no interval can be told where all values are tied');
  return difference - quantile;
}

interface Bracket {
  readonly low: number;
  readonly high: number;
}

/** From the least difference between the arms to the greatest. */
function bracketOf({ x, y }: SortedArms): Bracket {
  const low = x[0] - y[y.length - 1];
  const high = x[x.length - 1] - y[0];
  if (!Number.isFinite(high - low)) throw new OpsError('input', 'values are too far apart for their differences to be numbers');
  if (low === high) throw new OpsError('input', 'no interval can be told where the values of each side are all equal');
  return { low, high };
}

/** The end of the interval that belongs to a quantile: where the staircase crosses it, or the bracket's end that it does not reach. */
function endOf(arms: SortedArms, { low, high }: Bracket, quantile: number): number {
  const f = (mu: number) => differenceAt(arms, mu, quantile);
  const [atLow, atHigh] = [f(low), f(high)];
  if (atLow <= 0) return low;
  if (atHigh >= 0) return high;
  return findRoot(f, { at: low, value: atLow }, { at: high, value: atHigh });
}

function shiftOf(arms: SortedArms, { low, high }: Bracket, isCorrected: boolean): number {
  const f = (mu: number) => differenceAt(arms, mu, 0, isCorrected);
  return findRoot(f, { at: low, value: f(low) }, { at: high, value: f(high) });
}
