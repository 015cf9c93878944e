import type { Json } from '#model/json.ts';

/** One thing to be restored, as the source gave it. */
export interface RestoredItem {
  readonly path: string;
  readonly kind: string;
  readonly meta: { readonly [name: string]: Json };
  readonly sizeBytes: number;
  /** Its bytes, already verified, each piece once; absent for what has none. */
  readonly content?: AsyncIterable<Uint8Array> | undefined;
}

/** How a thing that is there already would be met. */
export type ItemPlan = 'create' | 'replace' | 'keep';

/**
 * Where a backup is restored to: a folder, a table, a prefix. Items come in the source's order, from one caller at a time. An item that cannot
 * be restored fails with `input` (its path or kind cannot be had here: it leads out, it is a device) or `denied`; the restore goes on with the
 * next and tells of it at the end. `unavailable` may be tried again from the item's beginning.
 */
export interface BackupTarget {
  readonly type: string;
  readonly name: string;
  /** What writing it would do, without doing it: `keep` where the very same is there, by size, times and (where cheap) hash. */
  plan(item: Omit<RestoredItem, 'content'>): Promise<ItemPlan>;
  /** Creates or replaces; complete and durable, or not there, when it resolves. Never outside the target, whatever the item's path or the links that are there. */
  write(item: RestoredItem): Promise<void>;
  /** After the last item: times and modes of directories, indexes, settings that had to wait. Faults by path. */
  finish(): Promise<readonly { readonly path: string; readonly message: string }[]>;
  /** Lets go of what is open; absent where nothing is. */
  close?(): Promise<void>;
}
