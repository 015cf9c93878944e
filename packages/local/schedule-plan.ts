import { parseScheduleExpression, type ScheduleTimes } from '#ports/schedule-expression.ts';
import type { Schedule } from '#ports/schedules.ts';

/** Up to when a schedule has been attended to, and under which expression. */
export interface ScheduleMark {
  readonly expression: string;
  readonly untilMs: number;
}

export interface DueRun {
  readonly schedule: Schedule;
  /** The latest time at which it was due; those missed before it are not made up for one by one. */
  readonly atMs: number;
}

export interface SchedulePlan {
  readonly due: readonly DueRun[];
  /** Marks for schedules that have none or another expression. */
  readonly marks: ReadonlyMap<string, ScheduleMark>;
  /** When the next one that is not due yet will be; undefined for never. */
  readonly wakeAtMs: number | undefined;
}

// Past this many missed times, the present will do as the latest.
const MAX_MISSED = 1_000;

/**
 * What is due now. A schedule with an interval or a calendar begins at the time when it is first seen; one with a single time is due
 * from then on until it has been run.
 */
export function planRuns(
  schedules: readonly Schedule[],
  marks: ReadonlyMap<string, ScheduleMark>,
  nowMs: number,
  times: (expression: string) => ScheduleTimes = parseScheduleExpression,
): SchedulePlan {
  const due: DueRun[] = [];
  const fresh = new Map<string, ScheduleMark>();
  let wakeAtMs: number | undefined;
  for (const schedule of schedules) {
    const { once, next } = times(schedule.expression);
    let mark = marks.get(schedule.name);
    if (mark?.expression !== schedule.expression) {
      mark = { expression: schedule.expression, untilMs: once ? 0 : nowMs };
      fresh.set(schedule.name, mark);
    }
    const dueMs = next(mark.untilMs);
    if (dueMs !== undefined && dueMs <= nowMs) due.push({ schedule, atMs: latestTime(next, dueMs, nowMs) });
    const laterMs = next(nowMs);
    if (laterMs !== undefined) wakeAtMs = Math.min(laterMs, wakeAtMs ?? laterMs);
  }
  return { due, marks: fresh, wakeAtMs };
}

function latestTime(next: ScheduleTimes['next'], dueMs: number, nowMs: number): number {
  let latestMs = dueMs;
  for (let missed = 0; missed < MAX_MISSED; missed++) {
    const laterMs = next(latestMs);
    if (laterMs === undefined || laterMs > nowMs) return latestMs;
    latestMs = laterMs;
  }
  return nowMs;
}
