import type { DatabaseSync } from 'node:sqlite';

const SWEEP_ITEMS = 500;
const VACUUM_PAGES = 256;
// Free pages are used again by later writes: only what is more than this share of the file, and not little, is given back.
const FREE_SHARE = 0.2;
const FREE_PAGES = 512;

/** One bounded step of upkeep: drops some expired items, gives some free pages back to the disk. True if there is more to do. */
export type KeepUp = (nowMs: number) => boolean;

/** Prepares the upkeep of one connection. */
export function createUpkeep(db: DatabaseSync): KeepUp {
  const sweep = db.prepare('delete from items where (pk, sk) in (select pk, sk from items where expires < ? limit ?)');
  const freePages = db.prepare('pragma freelist_count');
  const allPages = db.prepare('pragma page_count');
  return (nowMs) => {
    const dropped = Number(sweep.run(nowMs / 1_000, SWEEP_ITEMS).changes);
    const free = Number(freePages.get()?.freelist_count);
    const bloated = free > FREE_PAGES && free > Number(allPages.get()?.page_count) * FREE_SHARE;
    if (bloated) db.exec(`pragma incremental_vacuum(${VACUUM_PAGES}); pragma wal_checkpoint(passive);`);
    return dropped === SWEEP_ITEMS || bloated;
  };
}
