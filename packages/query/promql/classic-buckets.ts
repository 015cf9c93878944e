/** The buckets of one classic histogram at one step: upper bounds in order and cumulative counts, `length` of them. */
export interface Buckets {
  bounds: Float64Array;
  counts: Float64Array;
  length: number;
}

/** What had to be changed so that counts do not fall from bucket to bucket. */
export interface BucketFix {
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDiff: number;
}

/** Differences up to this much, relative to both counts, are taken for noise. */
const smallDelta = 1e-12;

/**
 * The q-quantile, linear within a bucket; the bound below the last bucket where it lies in the last. NaN without a bucket
 * of +Inf, with fewer than two buckets or without observations. `onFix` hears of counts that fell. Changes the buckets.
 */
export function bucketQuantile(q: number, buckets: Buckets, onFix: (fix: BucketFix) => void): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  if (buckets.bounds[buckets.length - 1] !== Infinity) return Number.NaN;
  coalesce(buckets);
  const fix = makeMonotonic(buckets);
  if (fix) onFix(fix);
  const { bounds, counts } = buckets;
  const last = buckets.length - 1;
  if (last < 1) return Number.NaN;
  const observations = counts[last] as number;
  if (observations === 0) return Number.NaN;
  let rank = q * observations;
  let b = 0;
  while (b < last && !((counts[b] as number) >= rank)) b++;
  if (b === last) return bounds[last - 1] as number;
  const end = bounds[b] as number;
  if (b === 0 && end <= 0) return end;
  let start = 0;
  let count = counts[b] as number;
  if (b > 0) {
    start = bounds[b - 1] as number;
    count -= counts[b - 1] as number;
    rank -= counts[b - 1] as number;
  }
  return start + (end - start) * (rank / count);
}

/** The share of observations between `lower` and `upper`, linear within a bucket. Changes the buckets. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  if (buckets.bounds[buckets.length - 1] !== Infinity) return Number.NaN;
  coalesce(buckets);
  const count = buckets.counts[buckets.length - 1] as number;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, count) - rankOf(lower, buckets, count)) / count;
}

/** Observations at or below `value`. */
function rankOf(value: number, { bounds, counts, length }: Buckets, total: number): number {
  let start = (bounds[0] as number) <= 0 ? -Infinity : 0;
  let rank = 0;
  for (let b = 0; b < length; b++) {
    const end = bounds[b] as number;
    const count = counts[b] as number;
    if (b > 0) start = bounds[b - 1] as number;
    if (start >= value) return Math.min(rank, total);
    if (end > value) {
      const inside = start === -Infinity ? count : rank + ((count - rank) * (value - start)) / (end - start);
      return Math.min(inside, total);
    }
    rank = count;
  }
  return total;
}

/** Adds up buckets with the same bound. */
function coalesce(buckets: Buckets): void {
  const { bounds, counts } = buckets;
  let last = 0;
  for (let b = 1; b < buckets.length; b++) {
    if (bounds[b] === bounds[last]) {
      counts[last] = (counts[last] as number) + (counts[b] as number);
      continue;
    }
    last++;
    bounds[last] = bounds[b] as number;
    counts[last] = counts[b] as number;
  }
  buckets.length = last + 1;
}

function makeMonotonic({ bounds, counts, length }: Buckets): BucketFix | undefined {
  let minBucket = Infinity;
  let maxBucket = -Infinity;
  let maxDiff = 0;
  let fixed = false;
  let before = counts[0] as number;
  for (let b = 1; b < length; b++) {
    const count = counts[b] as number;
    if (count === before) continue;
    if (isSmallDelta(before, count)) {
      counts[b] = before;
      continue;
    }
    if (!(count < before)) {
      before = count;
      continue;
    }
    counts[b] = before;
    fixed = true;
    minBucket = Math.min(minBucket, bounds[b] as number);
    maxBucket = Math.max(maxBucket, bounds[b] as number);
    maxDiff = Math.max(maxDiff, before - count);
  }
  return fixed ? { minBucket, maxBucket, maxDiff } : undefined;
}

function isSmallDelta(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < 2.2250738585072014e-308) return difference < smallDelta * 2.2250738585072014e-308;
  return difference / Math.min(sum, Number.MAX_VALUE) < smallDelta;
}
