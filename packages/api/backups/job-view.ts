import type { Job, JobState } from '#backups/jobs/job.ts';
import { parseScheduleExpression } from '#ports/schedule-expression.ts';

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

/** How a job stands: what runs, how the last run ended, when the last good one began, and when it is due again. */
export function describeJob({ schedule }: Pick<Job, 'schedule'>, state: JobState | undefined, nowMs: number): object {
  const sinceMs = state?.expression === schedule ? state.untilMs : nowMs;
  return {
    schedule,
    nextDueAt: iso(parseScheduleExpression(schedule).next(sinceMs)),
    ...describeRuns(state),
    lastGoodAt: iso(state?.lastGoodMs),
  };
}

/** What runs and how the last run ended. */
export function describeRuns(state: JobState | undefined): { readonly running?: object | undefined; readonly last?: object | undefined } {
  const { run, last } = state ?? {};
  return {
    running: run && {
      run: run.id,
      startedAt: iso(run.startedAtMs),
      failedCalls: run.attempts,
      nextCallAt: iso(run.nextMs),
      progress: run.progress,
    },
    last: last && {
      run: last.id,
      ok: last.ok,
      startedAt: iso(last.startedAtMs),
      endedAt: iso(last.endedAtMs),
      sentence: last.sentence,
      result: last.result,
    },
  };
}
