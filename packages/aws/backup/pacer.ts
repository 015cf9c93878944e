import type { Clock } from '#core/time.ts';

/** Keeps what is used of something below a rate. */
export interface Pacer {
  /** Resolves when the rate allows for another call. */
  ready(): Promise<void>;
  /** Tells what a call has used. */
  used(units: number): void;
}

/**
 * A pacer for `unitsPerSecond`; without a rate it never waits. What a call uses is known only afterwards, so that a call may overdraw by
 * what it uses, and the next ones wait until that is made good. Unused time is not saved up.
 */
export function createPacer(deps: { clock: Clock; sleep: (delayMs: number) => Promise<void> }, unitsPerSecond?: number): Pacer {
  let freeAtMs = 0;
  return {
    async ready() {
      if (unitsPerSecond === undefined) return;
      for (let waitMs = freeAtMs - deps.clock(); waitMs > 0; waitMs = freeAtMs - deps.clock()) await deps.sleep(waitMs);
    },
    used(units) {
      if (unitsPerSecond === undefined) return;
      freeAtMs = Math.max(freeAtMs, deps.clock()) + (units / unitsPerSecond) * 1_000;
    },
  };
}
