import type { Entry } from './entry.ts';
import { isWithin } from './path-order.ts';

/** Which things of a snapshot are meant; absent, all. */
export interface EntryFilter {
  /** These paths and what lies in them, with the directories that lead there. */
  readonly include?: readonly string[] | undefined;
  /** But not these and what lies in them. */
  readonly exclude?: readonly string[] | undefined;
  /** Only things of these kinds. */
  readonly kinds?: readonly string[] | undefined;
}

/** Whether the filter means this entry. */
export function matchesFilter({ include, exclude, kinds }: EntryFilter, { path, kind }: Pick<Entry, 'path' | 'kind'>): boolean {
  if (exclude?.some((folder) => isWithin(path, folder))) return false;
  if (kinds && !kinds.includes(kind)) return false;
  return include === undefined || include.some((folder) => isWithin(path, folder) || isWithin(folder, path));
}

/** Watches which of the included paths a snapshot has, as its entries go by: a mistyped one must not pass for restored. */
export function watchIncluded({ include = [] }: EntryFilter): { see(path: string): void; unseen(): readonly string[] } {
  const unseen = new Set(include);
  return {
    see(path) {
      for (const folder of unseen) if (isWithin(path, folder)) unseen.delete(folder);
    },
    unseen: () => [...unseen],
  };
}
