import { isBlobKey } from '#ports/blob-keys.ts';
import type { Item } from '#ports/table.ts';

// An item names its object in the attribute `key`, in storage and alerts alike. Objects of storage stay for a grace period after they were replaced,
// those of alerts are deleted at once.
const LASTING = ['tier=', 'segments/'] as const;
const PASSING = ['alerts/'] as const;

/** The object that an item of the catalog names, and whether it may be deleted at any time. */
export function namedBlob({ key }: Item): { readonly key: string; readonly isPassing: boolean } | undefined {
  if (typeof key !== 'string' || !isBlobKey(key)) return undefined;
  if (LASTING.some((prefix) => key.startsWith(prefix))) return { key, isPassing: false };
  return PASSING.some((prefix) => key.startsWith(prefix)) ? { key, isPassing: true } : undefined;
}
