/** True where a sample's start time says that the counter began anew after the sample before; NaN is an unknown start. */
export function isStartReset(prevStart: number, prevTs: number, start: number, ts: number): boolean {
  if (Number.isNaN(start) || start >= ts || start < prevTs) return false;
  if (start > prevTs) return true;
  // It begins at the sample before: a delta series if that one had a start of its own, else a cumulative one whose start nobody knows.
  return prevStart < prevTs;
}

/** True where a sample claims a time that the sample before already covered. */
function overlapsStart(prevStart: number, prevTs: number, start: number): boolean {
  return start < prevTs && start !== prevStart;
}

/** Indexes of samples before which the counter was reset, in order; `count` of them count. */
export interface Resets {
  at: Int32Array;
  count: number;
}

/** Finds the resets of one series: a fall in value, or what its start times say. Reuses `resets`. */
export function findResets(ts: Float64Array, value: Float64Array, startTs: Float64Array | undefined, resets: Resets): void {
  resets.count = 0;
  for (let k = 1; k < value.length; k++) {
    const fell = (value[k] as number) < (value[k - 1] as number);
    if (
      fell ||
      (startTs !== undefined && isStartReset(startTs[k - 1] as number, ts[k - 1] as number, startTs[k] as number, ts[k] as number))
    ) {
      if (resets.count === resets.at.length) resets.at = growIndexes(resets.at);
      resets.at[resets.count++] = k;
    }
  }
}

/** Finds samples whose start time overlaps the sample before. Reuses `overlaps`. */
export function findOverlaps(ts: Float64Array, startTs: Float64Array, overlaps: Resets): void {
  overlaps.count = 0;
  for (let k = 1; k < ts.length; k++) {
    if (!overlapsStart(startTs[k - 1] as number, ts[k - 1] as number, startTs[k] as number)) continue;
    if (overlaps.count === overlaps.at.length) overlaps.at = growIndexes(overlaps.at);
    overlaps.at[overlaps.count++] = k;
  }
}

export function emptyResets(): Resets {
  return { at: new Int32Array(16), count: 0 };
}

function growIndexes(indexes: Int32Array): Int32Array {
  const grown = new Int32Array(indexes.length * 2);
  grown.set(indexes);
  return grown;
}
