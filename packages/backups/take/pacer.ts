import type { Clock } from '#core/time.ts';

export interface PacerOptions {
  readonly remainingMs?: (() => number) | undefined;
  readonly checkpointEveryMs?: number | undefined;
  readonly checkpointEveryBytes?: number | undefined;
}

/** When to keep a checkpoint, and when to stop. */
export interface Pacer {
  isDue(): boolean;
  isOver(): boolean;
  restart(): void;
}

/** What is left for putting the last packs and a checkpoint when time is up. */
const RESERVE_MS = 30_000;
const CHECKPOINT_MS = 60_000;
const CHECKPOINT_BYTES = 512 << 20;

/** A checkpoint is due after a while, as a sign of life too, or after so much new content that losing it would cost more. */
export function createPacer(clock: Clock, options: PacerOptions, written: { readonly newBytes: number }): Pacer {
  const { remainingMs, checkpointEveryMs = CHECKPOINT_MS, checkpointEveryBytes = CHECKPOINT_BYTES } = options;
  let lastMs = clock();
  let lastBytes = written.newBytes;
  return {
    isDue: () => written.newBytes - lastBytes >= checkpointEveryBytes || clock() - lastMs >= checkpointEveryMs,
    isOver: () => remainingMs !== undefined && remainingMs() < RESERVE_MS,
    restart: () => {
      lastMs = clock();
      lastBytes = written.newBytes;
    },
  };
}
