import { type CatalogEntry, replacedAt, siblingsOf } from './catalog-entry.ts';

/** Replaced entries whose grace is over. */
export function planCleaning(entries: readonly CatalogEntry[], nowMs: number, graceMs: number): CatalogEntry[] {
  const replaced = replacedAt(entries);
  return entries.filter((entry) => nowMs - (replaced.get(entry.id) ?? Number.POSITIVE_INFINITY) >= graceMs);
}

/** From so many inputs on a block is rewritten without them; fewer cost less to read than to take out. */
const MIN_TRIMMED = 32;

/**
 * Blocks that still name inputs of which none is there any more: since longer than the grace, so that no reading under way has seen
 * them. A block whose inputs include one that others were committed together with keeps them: readers look for it there.
 */
export function planTrimming(entries: readonly CatalogEntry[], nowMs: number, graceMs: number): CatalogEntry[] {
  const needed = new Set(entries.flatMap((entry) => [entry.id, ...siblingsOf(entry)]));
  return entries.filter(({ inputs = [], createdAtMs }) => {
    return inputs.length >= MIN_TRIMMED && nowMs - createdAtMs >= graceMs && !inputs.some((id) => needed.has(id));
  });
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
