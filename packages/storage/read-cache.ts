/** A cache of immutable things by id, bounded by the bytes they hold; least recently used leaves first. */
export interface ReadCache {
  get<T>(id: string): T | undefined;
  set(id: string, value: unknown, sizeBytes: number): void;
  delete(id: string): void;
  readonly sizeBytes: number;
}

interface Entry {
  readonly value: unknown;
  readonly sizeBytes: number;
}

/** An LRU over a Map's insertion order; a value larger than half of the whole is not kept. */
export function createReadCache(maxBytes: number): ReadCache {
  const entries = new Map<string, Entry>();
  let total = 0;
  const drop = (id: string) => {
    const entry = entries.get(id);
    if (!entry) return;
    entries.delete(id);
    total -= entry.sizeBytes;
  };
  return {
    get sizeBytes() {
      return total;
    },
    get<T>(id: string) {
      const entry = entries.get(id);
      if (!entry) return undefined;
      entries.delete(id);
      entries.set(id, entry);
      return entry.value as T;
    },
    set(id, value, sizeBytes) {
      drop(id);
      if (sizeBytes > maxBytes / 2) return;
      entries.set(id, { value, sizeBytes });
      total += sizeBytes;
      for (const oldest of entries.keys()) {
        if (total <= maxBytes) break;
        drop(oldest);
      }
    },
    delete: drop,
  };
}
