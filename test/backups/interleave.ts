import { setImmediate as turn } from 'node:timers/promises';
import type { Blobs } from '#ports/blobs.ts';

/** Lets several processes run over one store, one call at a time, in an order that is chosen. */
export interface Interleaver {
  /** The store as one process sees it: its calls wait for their turn. */
  over(blobs: Blobs): Blobs;
  /** Runs all to their end; `choose(n)` says which of n waiting calls comes next. */
  run(processes: readonly Promise<unknown>[], choose: (waiting: number) => number): Promise<PromiseSettledResult<unknown>[]>;
}

export function createInterleaver(): Interleaver {
  const waiting: (() => void)[] = [];
  const turnOf = async <T>(call: () => Promise<T>): Promise<T> => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
    return call();
  };
  return {
    over: (blobs) => ({
      get: (key, range) => turnOf(() => blobs.get(key, range)),
      put: (key, body, options) => turnOf(() => blobs.put(key, body, options)),
      list: (prefix, page) => turnOf(() => blobs.list(prefix, page)),
      delete: (keys) => turnOf(() => blobs.delete(keys)),
    }),
    run: async (processes, choose) => {
      let isOver = false;
      const ended = Promise.allSettled(processes).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await turn();
        await turn();
        if (waiting.length > 0) waiting.splice(choose(waiting.length), 1)[0]();
      }
      return ended;
    },
  };
}
