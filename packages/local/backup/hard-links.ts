import type { BigIntStats } from 'node:fs';

/** First names of what has several; held until all of its names have been seen. */
export interface HardLinks {
  /** The path of the first name; undefined for the first itself. */
  see(path: string, stats: BigIntStats): string | undefined;
}

export function createHardLinks(): HardLinks {
  const seen = new Map<string, { first: string; left: bigint }>();
  return {
    see(path, { dev, ino, nlink }) {
      const key = `${dev}:${ino}`;
      const known = seen.get(key);
      if (!known) {
        seen.set(key, { first: path, left: nlink - 1n });
        return undefined;
      }
      if (--known.left <= 0n) seen.delete(key);
      return known.first;
    },
  };
}

/** Whether it may have another name: folders never have. */
export function hasOtherNames(kind: string, { nlink }: BigIntStats): boolean {
  return kind !== 'dir' && nlink > 1n;
}
