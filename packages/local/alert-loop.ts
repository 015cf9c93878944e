import type { Timers } from './timers.ts';

/** How late a rule, a timer or a retry may be. */
const STEP_MS = 1_000;

/** Runs the alert functions as often as embedded can afford, which is each second: schedules are minutes. */
export interface AlertLoop {
  /** Resolves once the run under way has ended. */
  stop(): Promise<void>;
}

/** Starts the loop; `run` is never called again before it has ended, and handles its own failures. */
export function startAlertLoop(timers: Timers, run: () => Promise<void>): AlertLoop {
  let stopped = false;
  let cancel = () => {};
  let running: Promise<void> = Promise.resolve();
  const arm = () => {
    cancel = timers.after(STEP_MS, () => {
      running = run().then(() => {
        if (!stopped) arm();
      });
    });
  };
  arm();
  return {
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
