import { type CatalogEntry, replacedAt } from './catalog-entry.ts';

/** Replaced entries whose grace is over. */
export function planCleaning(entries: readonly CatalogEntry[], nowMs: number, graceMs: number): CatalogEntry[] {
  const replaced = replacedAt(entries);
  return entries.filter((entry) => nowMs - (replaced.get(entry.id) ?? Number.POSITIVE_INFINITY) >= graceMs);
}

/**
 * The order in which entries can be deleted, as batches: an entry goes only when all that it had replaced are gone, or one of
 * those would count again. `entries` is all that the window has; an entry whose inputs are to stay stays too.
 */
export function orderDeletion(entries: readonly CatalogEntry[], doomed: readonly CatalogEntry[]): CatalogEntry[][] {
  const present = new Set(entries.map((entry) => entry.id));
  const batches: CatalogEntry[][] = [];
  for (let rest = doomed; rest.length > 0; ) {
    const isFree = ({ inputs = [] }: CatalogEntry) => !inputs.some((id) => present.has(id));
    const batch = rest.filter(isFree);
    if (batch.length === 0) return batches;
    batches.push(batch);
    rest = rest.filter((entry) => !isFree(entry));
    for (const { id } of batch) present.delete(id);
  }
  return batches;
}
