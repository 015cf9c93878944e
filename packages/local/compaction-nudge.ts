import type { Timers } from './timers.ts';

/** Runs compaction before its schedule does, when requests have piled up or paused: queries read many small segments slowly. */
export interface CompactionNudge {
  /** A request has been stored. */
  stored(): void;
  stop(): void;
}

/** This many requests since the last compaction are enough by themselves... */
const MANY_REQUESTS = 2_000;
/** ...and this many once nothing has come for IDLE_MS. */
const SOME_REQUESTS = 64;
const IDLE_MS = 6_000;

/** Makes a nudge; `compact` is never called again before it has ended, and handles its own failures. */
export function createCompactionNudge(timers: Timers, compact: () => Promise<void>): CompactionNudge {
  let waiting = 0;
  let running = false;
  let stopped = false;
  let cancel = () => {};
  const run = async () => {
    if (running || stopped) return;
    running = true;
    waiting = 0;
    await compact();
    running = false;
  };
  const arm = () => {
    cancel();
    cancel = timers.after(IDLE_MS, () => void (waiting >= SOME_REQUESTS && run()));
  };
  return {
    stored() {
      waiting++;
      if (waiting >= MANY_REQUESTS) void run();
      if (waiting % SOME_REQUESTS === 0) arm();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
