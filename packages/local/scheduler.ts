import type { Clock } from '#core/time.ts';
import { assertSchedule, parseScheduleExpression, type ScheduleTimes } from '#ports/schedule-expression.ts';
import type { Schedule } from '#ports/schedules.ts';
import type { Item, Table } from '#ports/table.ts';
import type { LocalSchedules } from './local-schedules.ts';
import { type DueRun, planRuns, type ScheduleMark } from './schedule-plan.ts';
import { createPauses, type Timers } from './timers.ts';

/** A run that has been given up, or (without a schedule) a look at the schedules that failed. */
export interface ScheduleFailure {
  readonly schedule: Schedule | undefined;
  readonly error: unknown;
}

export interface SchedulerDeps {
  /** Those that are always there. */
  readonly standing: readonly Schedule[];
  /** Those that are made at run time. */
  readonly schedules: LocalSchedules;
  /** Keeps how far each schedule has come, so that a run that fell into a pause of the process is made up for at the next start. */
  readonly table: Table;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Runs a function with the schedule's input and `at`, the time it was due, in ISO 8601. */
  readonly invoke: (functionName: string, event: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onFailure: (failure: ScheduleFailure) => void;
  /** Tries of one run, the first included. Default 3, a second apart at first, then two. */
  readonly attempts?: number | undefined;
}

export interface Scheduler {
  /** Begins to run what is due; resolves after the first look. */
  start(): Promise<void>;
  /** Starts no more runs and resolves when those under way are done. */
  stop(): Promise<void>;
}

const PARTITION = 'local/schedule-marks';
// Also how late a change by another process, or of the system's clock, is noticed.
const LONGEST_SLEEP_MS = 60_000;
const RETRY_DELAY_MS = 1_000;

/**
 * Runs schedules when they are due: never two runs of one at once, times missed meanwhile (or while no process ran) as one run after
 * it. A run that the end of the process cuts off is made again. A schedule with a single time is deleted after its run.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: what it is made of shares the state at its top
export function createScheduler(deps: SchedulerDeps): Scheduler {
  deps.standing.forEach(assertSchedule);
  const marks = new Map<string, ScheduleMark>();
  const running = new Map<string, Promise<void>>();
  const times = rememberTimes();
  const pauses = createPauses(deps.timers);
  let cancelWake = () => {};
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let stopped = false;

  const wake = (): Promise<void> => {
    lookAgain = true;
    looking ??= lookWhileAsked();
    return looking;
  };

  const lookWhileAsked = async () => {
    while (lookAgain && !stopped) {
      lookAgain = false;
      cancelWake();
      const wakeAtMs = await look().catch((error: unknown) => {
        deps.onFailure({ schedule: undefined, error });
        return undefined;
      });
      const sleepMs = Math.min(LONGEST_SLEEP_MS, wakeAtMs === undefined ? LONGEST_SLEEP_MS : wakeAtMs - deps.clock());
      if (!stopped) cancelWake = deps.timers.after(Math.max(0, sleepMs), () => void wake());
    }
    // In the same step as the last check, so that no wish to look again is lost.
    looking = undefined;
  };

  const look = async (): Promise<number | undefined> => {
    const made = await deps.schedules.list();
    const schedules = [...deps.standing, ...made].filter((schedule) => !running.has(schedule.name));
    const plan = planRuns(schedules, marks, deps.clock(), times);
    for (const [name, mark] of plan.marks) await remember(name, mark);
    for (const run of plan.due) if (!stopped) begin(run);
    return plan.wakeAtMs;
  };

  const begin = (run: DueRun) => {
    const { name } = run.schedule;
    const ending = perform(run)
      .catch((error: unknown) => deps.onFailure({ schedule: run.schedule, error }))
      .then(() => {
        running.delete(name);
        // Not awaited: this run is over.
        if (!stopped) void wake();
      });
    running.set(name, ending);
  };

  const perform = async ({ schedule, atMs }: DueRun) => {
    const outcome = await tryOften(schedule, { ...schedule.input, at: new Date(atMs).toISOString() });
    if (outcome === 'stopped') return;
    if (outcome) deps.onFailure({ schedule, error: outcome.error });
    await remember(schedule.name, { expression: schedule.expression, untilMs: atMs });
    if (times(schedule.expression).once && !deps.standing.includes(schedule)) await removeOnce(schedule);
  };

  const tryOften = async (schedule: Schedule, event: Readonly<Record<string, unknown>>) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await deps.invoke(schedule.function, event);
        return undefined;
      } catch (error) {
        if (attempt >= (deps.attempts ?? 3)) return { error };
        if (!(await pauses.pause(RETRY_DELAY_MS * 2 ** (attempt - 1)))) return 'stopped';
      }
    }
  };

  const remember = async (name: string, mark: ScheduleMark) => {
    marks.set(name, mark);
    await deps.table.put({ pk: PARTITION, sk: name, expression: mark.expression, untilMs: mark.untilMs });
  };

  /** Unless it has been replaced meanwhile. */
  const removeOnce = async (schedule: Schedule) => {
    const present = (await deps.schedules.list()).find((other) => other.name === schedule.name);
    if (present?.expression !== schedule.expression) return;
    await deps.schedules.delete(schedule.name);
    marks.delete(schedule.name);
    await deps.table.delete({ pk: PARTITION, sk: schedule.name });
  };

  let endListening = () => {};
  return {
    async start() {
      for (const item of await readMarks(deps.table))
        marks.set(item.sk, { expression: item.expression as string, untilMs: item.untilMs as number });
      endListening = deps.schedules.onChange(() => void wake());
      await wake();
    },
    async stop() {
      stopped = true;
      endListening();
      cancelWake();
      pauses.end();
      await looking;
      await Promise.all(running.values());
    },
  };
}

/** Parses each expression once. */
function rememberTimes(): (expression: string) => ScheduleTimes {
  const parsed = new Map<string, ScheduleTimes>();
  return (expression) => {
    const times = parsed.get(expression) ?? parseScheduleExpression(expression);
    parsed.set(expression, times);
    return times;
  };
}

async function readMarks(table: Table): Promise<Item[]> {
  const items: Item[] = [];
  for (let after: string | undefined; ; ) {
    const page = await table.query({ pk: PARTITION, after });
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}
