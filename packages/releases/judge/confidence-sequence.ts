/**
 * The boundary of a one-sided confidence sequence of a mean, as a normal quantile at `samples`: the chance that the standardised
 * mean ever exceeds it, at however many looks, is at most `alpha` (Robbins 1970; asymptotically for any stationary data by Waudby-Smith,
 * Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52, 2024, whose one-sided normal mixture this is). `tunedFor` is the number of
 * samples at which it is tightest; `alpha` is below 1/2.
 */
export function anytimeBoundary(samples: number, tunedFor: number, alpha: number): number {
  const fall = -2 * Math.log(2 * alpha);
  const mixed = (samples * (fall + Math.log(fall + 1))) / tunedFor;
  return Math.sqrt(((2 * (mixed + 1)) / mixed) * Math.log(1 + Math.sqrt(mixed + 1) / (2 * alpha)));
}
