/** A pack, and how much of it anything refers to. Sizes in bytes. */
export interface PackUse {
  readonly packId: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Until when it cannot be deleted (Object Lock), in ms by the store's clock. */
  readonly retainUntilMs?: number | undefined;
}

export interface PruneOptions {
  /** How much of what is stored may be of no use before packs are rewritten: 0.05. */
  readonly maxUnusedRatio: number;
  readonly nowMs: number;
  /** With Object Lock: for how long at least what is referred to must still be locked. */
  readonly lockForMs?: number | undefined;
}

export interface PrunePlan {
  /** Packs of which nothing is used. */
  readonly condemn: readonly PackUse[];
  /** Packs whose used chunks are written into new ones first. */
  readonly repack: readonly PackUse[];
  /** Packs that would go, but are locked for the time being. */
  readonly deferred: readonly PackUse[];
  /** Packs in use whose lock ends too soon, and until when it should last. */
  readonly extend: readonly { readonly packId: string; readonly untilMs: number }[];
  readonly totalBytes: number;
  readonly unusedBytes: number;
  /** What the plan frees: unused bytes of the packs that go. */
  readonly freedBytes: number;
}

/**
 * What a prune does: packs without use go; then those with the least use are rewritten until no more than the given part of what remains is
 * unused. What is locked waits, and what is in use is locked on.
 */
export function planPrune(packs: readonly PackUse[], { maxUnusedRatio, nowMs, lockForMs }: PruneOptions): PrunePlan {
  const isLocked = ({ retainUntilMs = 0 }: PackUse) => retainUntilMs > nowMs;
  const unused = packs.filter(({ usedBytes }) => usedBytes === 0);
  const used = packs.filter(({ usedBytes }) => usedBytes > 0);
  const repack = chooseRepacks(
    used.filter((pack) => !isLocked(pack)),
    used,
    maxUnusedRatio,
  );
  const condemn = unused.filter((pack) => !isLocked(pack));
  const rewritten = new Set(repack);
  const untilMs = nowMs + (lockForMs ?? 0);
  const extend = lockForMs === undefined ? [] : used.filter((pack) => !rewritten.has(pack) && (pack.retainUntilMs ?? 0) < untilMs);
  return {
    condemn,
    repack,
    deferred: unused.filter(isLocked),
    extend: extend.map(({ packId }) => ({ packId, untilMs })),
    totalBytes: sum(packs, ({ sizeBytes }) => sizeBytes),
    unusedBytes: sum(packs, wasteOf),
    freedBytes: sum([...condemn, ...repack], wasteOf),
  };
}

function chooseRepacks(candidates: readonly PackUse[], used: readonly PackUse[], maxUnusedRatio: number): PackUse[] {
  const chosen: PackUse[] = [];
  const usedBytes = sum(used, (pack) => pack.usedBytes);
  let waste = sum(used, wasteOf);
  const worstFirst = [...candidates].sort(
    (a, b) => a.usedBytes / a.sizeBytes - b.usedBytes / b.sizeBytes || (a.packId < b.packId ? -1 : 1),
  );
  for (const pack of worstFirst) {
    if (waste <= maxUnusedRatio * (usedBytes + waste)) break;
    if (wasteOf(pack) === 0) break;
    chosen.push(pack);
    waste -= wasteOf(pack);
  }
  return chosen;
}

function wasteOf({ sizeBytes, usedBytes }: PackUse): number {
  return sizeBytes - usedBytes;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
