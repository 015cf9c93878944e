import type { Clock } from '#core/time.ts';
import { queryCanceledError, queryTimeoutError, tooManySamplesError } from '#query/query-errors.ts';

export interface PaceInput {
  readonly now: Clock;
  readonly timeoutMs: number;
  /** Points that may be held at one time. */
  readonly maxSamples: number;
  readonly signal?: AbortSignal | undefined;
}

/** Keeps one evaluation within its time and memory, and lets others run in between. */
export interface Pace {
  /** Points held by results that are still in use. */
  held: number;
  readonly maxSamples: number;
  /** Counts points that come into being; `limit` when there are more than allowed. */
  hold(points: number): void;
  /**
   * To be called in long loops with the samples touched since the last call. Now and then it fails if the time is over or
   * the query was cancelled, or says that others have waited long enough: then `yieldTurn` must follow.
   */
  isTurnDue(work: number): boolean;
  /** Lets the event loop run once. */
  yieldTurn(): Promise<void>;
  /** Fails at once if the time is over or the query was cancelled. */
  check(): void;
}

const workBetweenChecks = 100_000;
const yieldAfterMs = 50;

/** A pace that starts counting its time now. */
export function makePace(input: PaceInput): Pace {
  const deadlineMs = input.now() + input.timeoutMs;
  let lastYieldMs = input.now();
  let pending = 0;
  const check = () => {
    if (input.signal?.aborted) throw queryCanceledError();
    if (input.now() > deadlineMs) throw queryTimeoutError();
  };
  return {
    held: 0,
    maxSamples: input.maxSamples,
    hold(points) {
      this.held += points;
      if (this.held > input.maxSamples) throw tooManySamplesError();
    },
    isTurnDue(work) {
      pending += work;
      if (pending < workBetweenChecks) return false;
      pending = 0;
      check();
      return input.now() - lastYieldMs >= yieldAfterMs;
    },
    async yieldTurn() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      lastYieldMs = input.now();
      check();
    },
    check,
  };
}
