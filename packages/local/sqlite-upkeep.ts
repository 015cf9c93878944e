import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Clock } from '#core/time.ts';

const SWEEP_ITEMS = 500;
const VACUUM_PAGES = 256;
// Free pages are used again by later writes: only what is more than this share of the file, and not little, is given back.
const FREE_SHARE = 0.2;
const FREE_PAGES = 32;

/** One bounded step of upkeep: drops expired items, moves the log into the file, gives free pages back. True if there is more to do. */
export type KeepUp = (nowMs: number, isIdle: boolean) => boolean;

/** Prepares the upkeep of one connection. */
export function createUpkeep(db: DatabaseSync): KeepUp {
  const sweep = db.prepare('delete from items where (pk, sk) in (select pk, sk from items where expires < ? limit ?)');
  const freePages = db.prepare('pragma freelist_count');
  const allPages = db.prepare('pragma page_count');
  return (nowMs, isIdle) => {
    const dropped = Number(sweep.run(nowMs / 1_000, SWEEP_ITEMS).changes);
    const free = Number(freePages.get()?.freelist_count);
    const bloated = isIdle && free > FREE_PAGES && free > Number(allPages.get()?.page_count) * FREE_SHARE;
    if (bloated) db.exec(`pragma incremental_vacuum(${VACUUM_PAGES});`);
    // Truncating waits for readers, so only where nobody writes; a passive checkpoint moves what it can.
    db.exec(`pragma wal_checkpoint(${isIdle && !bloated ? 'truncate' : 'passive'});`);
    return dropped === SWEEP_ITEMS || bloated;
  };
}

/** Upkeep on a thread of its own, so that its syncs do not stop the event loop. */
export interface Upkeep {
  /** Says that something was written. */
  wake(): void;
  stop(): Promise<void>;
}

/** What the upkeep thread is told: that there were writes, as of when, or to end. */
export type UpkeepRequest = { readonly nowMs: number } | 'stop';

const WAKE_EVERY_MS = 500;

/** Starts the thread with the first write: a process that only reads does not pay for it. It keeps no process alive. */
export function startUpkeep(path: string, clock: Clock): Upkeep {
  let worker: Worker | undefined;
  let told = false;
  return {
    wake() {
      if (told) return;
      told = true;
      setTimeout(() => {
        told = false;
        worker?.postMessage({ nowMs: clock() } satisfies UpkeepRequest);
      }, WAKE_EVERY_MS).unref();
      if (!worker) {
        worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: path, execArgv: [] });
        worker.unref();
        // Upkeep can wait: the next write starts it again.
        worker.on('error', () => {
          worker = undefined;
        });
      }
    },
    async stop() {
      const ending = worker;
      if (!ending) return;
      worker = undefined;
      ending.ref();
      const ended = new Promise((resolve) => ending.once('exit', resolve));
      ending.postMessage('stop' satisfies UpkeepRequest);
      await ended;
    },
  };
}
