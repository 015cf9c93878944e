import type { Timers } from '#local/timers.ts';

/** Time that passes only when a test says so. */
export interface FakeTime {
  readonly clock: () => number;
  readonly timers: Timers;
  /** Lets time pass, timers firing in order, and what they start come to rest. */
  advance(byMs: number): Promise<void>;
}

/** Lets everything that does not wait for a timer come to rest. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Time that begins at `startMs`. */
export function createFakeTime(startMs: number): FakeTime {
  let nowMs = startMs;
  const pending = new Set<{ atMs: number; call: () => void }>();
  return {
    clock: () => nowMs,
    timers: {
      after(delayMs, call) {
        const timer = { atMs: nowMs + delayMs, call };
        pending.add(timer);
        return () => pending.delete(timer);
      },
    },
    async advance(byMs) {
      const endMs = nowMs + byMs;
      await rest();
      for (;;) {
        const [next] = [...pending].filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (!next) break;
        pending.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.call();
        await rest();
      }
      nowMs = endMs;
    },
  };
}
