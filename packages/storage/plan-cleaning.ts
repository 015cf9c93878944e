import { type CatalogEntry, replacedAt } from './catalog-entry.ts';

/** Replaced entries whose grace is over, lowest level first: an entry may only go after those that it had replaced itself. */
export function planCleaning(entries: readonly CatalogEntry[], nowMs: number, graceMs: number): CatalogEntry[] {
  const replaced = replacedAt(entries);
  return entries
    .filter((entry) => nowMs - (replaced.get(entry.id) ?? Number.POSITIVE_INFINITY) >= graceMs)
    .sort((a, b) => a.level - b.level);
}
