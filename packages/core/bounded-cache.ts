/** What was used last stays; the rest goes when either bound is passed. */
export interface BoundedCache<T> {
  get(key: string): T | undefined;
  /** `weight` in whatever unit `maxWeight` has; an entry heavier than all allowed is not kept. */
  set(key: string, value: T, weight?: number): void;
  readonly size: number;
}

/** A least-recently-used cache bounded by entries and by weight (default 1 each). */
export function createCache<T>({
  maxEntries,
  maxWeight = Number.POSITIVE_INFINITY,
}: {
  maxEntries: number;
  maxWeight?: number;
}): BoundedCache<T> {
  const entries = new Map<string, { readonly value: T; readonly weight: number }>();
  let total = 0;
  const remove = (key: string) => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight = 1) {
      remove(key);
      if (weight > maxWeight) return;
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxWeight) break;
        remove(oldest);
      }
    },
    get size() {
      return entries.size;
    },
  };
}
