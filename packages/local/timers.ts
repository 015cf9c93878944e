/** Calls something later. Handed in, so that tests own time. */
export interface Timers {
  /** Calls once after the delay; returns what calls it off. */
  after(delayMs: number, call: () => void): () => void;
}

const MAX_DELAY_MS = 2 ** 31 - 1;

/** The system's timers; they do not keep the process alive. */
export const systemTimers: Timers = {
  after(delayMs, call) {
    const timer = setTimeout(call, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Pauses that can all be ended early. */
export interface Pauses {
  /** Resolves after the delay with true, or with false at once when all pauses are ended. */
  pause(delayMs: number): Promise<boolean>;
  /** Ends those under way and all to come. */
  end(): void;
}

/** Makes pauses on these timers. */
export function createPauses(timers: Timers): Pauses {
  const endings = new Set<() => void>();
  let ended = false;
  return {
    pause: (delayMs) =>
      new Promise((resolve) => {
        if (ended) return resolve(false);
        const finish = (whole: boolean) => {
          endings.delete(end);
          resolve(whole);
        };
        const cancel = timers.after(delayMs, () => finish(true));
        const end = () => {
          cancel();
          finish(false);
        };
        endings.add(end);
      }),
    end() {
      ended = true;
      for (const end of endings) end();
    },
  };
}
