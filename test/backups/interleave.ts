import { setImmediate as turn } from 'node:timers/promises';
import type { Blobs } from '#ports/blobs.ts';

/** Lets several processes run over one store, one call at a time, in an order that is chosen. */
export interface Interleaver {
  /** The store as one process sees it: its calls wait for their turn. */
  over(blobs: Blobs, process: number): Blobs;
  /** Runs all to their end; `choose` says which of the waiting processes makes its next call. */
  run(processes: readonly Promise<unknown>[], choose: (waiting: readonly number[]) => number): Promise<PromiseSettledResult<unknown>[]>;
}

export function createInterleaver(): Interleaver {
  const waiting: { process: number; go: () => void }[] = [];
  const turnOf = async <T>(process: number, call: () => Promise<T>): Promise<T> => {
    await new Promise<void>((go) => {
      waiting.push({ process, go });
    });
    return call();
  };
  return {
    over: (blobs, process) => ({
      get: (key, range) => turnOf(process, () => blobs.get(key, range)),
      put: (key, body, options) => turnOf(process, () => blobs.put(key, body, options)),
      list: (prefix, page) => turnOf(process, () => blobs.list(prefix, page)),
      delete: (keys) => turnOf(process, () => blobs.delete(keys)),
    }),
    run: async (processes, choose) => {
      let isOver = false;
      const ended = Promise.allSettled(processes).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await turn();
        await turn();
        if (waiting.length === 0) continue;
        const chosen = choose(waiting.map(({ process }) => process));
        waiting
          .splice(
            waiting.findIndex(({ process }) => process === chosen),
            1,
          )[0]
          .go();
      }
      return ended;
    },
  };
}
