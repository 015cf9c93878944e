import { isBlobKey } from '#ports/blob-keys.ts';
import type { Item } from '#ports/table.ts';

/** An object that the catalog names. */
export interface NamedBlob {
  readonly key: string;
  /** It may be deleted at any time. */
  readonly isPassing: boolean;
}

// An item names its object in the attribute `key`, in storage and alerts alike. Objects of storage stay for a grace period after they were replaced,
// those of alerts are deleted at once. The pointer of a pushed configuration names its files by their paths; they are never deleted.
const LASTING = /^(?:tier=|segments\/|config\/[0-9a-f]{32}\/)/;
const PASSING = /^alerts\//;
const CONFIG_POINTER = { pk: 'config', sk: 'current' };

/** The objects that an item of the catalog names. */
export function namedBlobs(item: Item): NamedBlob[] {
  const { pk, sk, key } = item;
  const keys = pk === CONFIG_POINTER.pk && sk === CONFIG_POINTER.sk ? filesOf(item) : [key];
  return keys.flatMap((each) => (typeof each === 'string' ? (asNamed(each) ?? []) : []));
}

/** The object of that key, as an item could name it; undefined where none could. */
export function asNamed(key: string): NamedBlob | undefined {
  if (!isBlobKey(key)) return undefined;
  if (LASTING.test(key)) return { key, isPassing: false };
  return PASSING.test(key) ? { key, isPassing: true } : undefined;
}

function filesOf({ version, files }: Item): unknown[] {
  try {
    const paths: unknown = JSON.parse(String(files));
    return Array.isArray(paths) ? paths.map((path) => `config/${version}/${path}`) : [];
  } catch {
    return [];
  }
}
