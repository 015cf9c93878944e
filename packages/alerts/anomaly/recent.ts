/** The last samples, in a ring of two windows. */
export interface Recent {
  readonly values: Float64Array;
  /** Samples ever taken in. */
  count: number;
}

export function createRecent(windowSamples: number): Recent {
  return { values: new Float64Array(2 * windowSamples), count: 0 };
}

export function pushRecent(recent: Recent, value: number): void {
  recent.values[recent.count % recent.values.length] = value;
  recent.count++;
}

/** The sample so many back, 0 being the last. It must be one of the ring's. */
export function recentAt({ values, count }: Recent, back: number): number {
  return values[(count - 1 - back) % values.length];
}

/** Mean of the last window and of the one before; NaN until both are full. Summed anew each time, so that no rounding is carried on. */
export function windowMeans(recent: Recent): { last: number; before: number } {
  const window = recent.values.length / 2;
  if (recent.count < 2 * window) return { last: Number.NaN, before: Number.NaN };
  let [last, before] = [0, 0];
  for (let back = 0; back < window; back++) {
    last += recentAt(recent, back);
    before += recentAt(recent, back + window);
  }
  return { last: last / window, before: before / window };
}

/** Mean distance from sample to sample in the last window; NaN until it is full. */
export function meanStep(recent: Recent): number {
  const window = recent.values.length / 2;
  if (recent.count <= window) return Number.NaN;
  let sum = 0;
  for (let back = 0; back < window; back++) sum += Math.abs(recentAt(recent, back) - recentAt(recent, back + 1));
  return sum / window;
}
