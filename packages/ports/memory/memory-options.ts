import type { Clock } from '#core/time.ts';

/** What the memory ports are made with; all of it for tests that own time and order. */
export interface MemoryOptions {
  readonly clock?: Clock | undefined;
  /**
   * Awaited before and after the effect of every call, so that concurrent calls interleave as they do over a network: the effect
   * itself is one step. Default: one turn of the microtask queue.
   */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Runs a step between two pauses. */
export async function inTurn<T>(options: MemoryOptions, step: () => T): Promise<T> {
  const pause = options.pause ?? (() => Promise.resolve());
  await pause();
  const result = step();
  await pause();
  return result;
}
