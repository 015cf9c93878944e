/** Half of how far back PromQL looks, as Prometheus has it: `target_info` is then there at every time that a point is. */
const INTERVAL_MS = 150_000;

/** The times at which a resource's `target_info` is due: the latest of its points in each interval. */
export interface InfoTimes {
  clear(): void;
  /** Notes the time of a point that was taken. */
  note(tsMs: number): void;
  times(): Iterable<number>;
}

/** Makes an empty list. */
export function createInfoTimes(): InfoTimes {
  const latest = new Map<number, number>();
  let from = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  const move = (tsMs: number) => {
    const interval = Math.floor(tsMs / INTERVAL_MS);
    if (from !== Number.POSITIVE_INFINITY) latest.set(from / INTERVAL_MS, last);
    from = interval * INTERVAL_MS;
    last = Math.max(tsMs, latest.get(interval) ?? tsMs);
  };
  return {
    clear() {
      latest.clear();
      from = Number.POSITIVE_INFINITY;
    },
    note(tsMs) {
      if (tsMs < from || tsMs >= from + INTERVAL_MS) move(tsMs);
      else if (tsMs > last) last = tsMs;
    },
    times() {
      if (from !== Number.POSITIVE_INFINITY) latest.set(from / INTERVAL_MS, last);
      return latest.values();
    },
  };
}
