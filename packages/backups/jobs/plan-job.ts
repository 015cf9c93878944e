import { parseScheduleExpression } from '#ports/schedule-expression.ts';
import type { Job, JobState } from './job.ts';

/** What is to be done about a job now. */
export type JobPlan =
  | { readonly action: 'none'; readonly state: JobState }
  /** A run begins; of times that were missed the latest counts. */
  | { readonly action: 'start'; readonly state: JobState }
  /** A run goes on, or is tried again. */
  | { readonly action: 'continue'; readonly state: JobState };

/**
 * A job that is seen for the first time, or under another schedule, waits for the schedule's next time. A run that is under way is gone on with
 * before another one begins; `isAsked`: somebody asks for a run now.
 */
export function planJob(job: Job, known: JobState | undefined, nowMs: number, isAsked = false): JobPlan {
  const state = known?.expression === job.schedule ? known : { ...known, expression: job.schedule, untilMs: nowMs };
  if (state.run) return { action: isAsked || state.run.nextMs <= nowMs ? 'continue' : 'none', state };
  const dueMs = parseScheduleExpression(job.schedule).next(state.untilMs);
  const isDue = dueMs !== undefined && dueMs <= nowMs;
  return { action: isDue || isAsked ? 'start' : 'none', state: isDue ? { ...state, untilMs: nowMs } : state };
}
