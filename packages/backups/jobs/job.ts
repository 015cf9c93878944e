import * as z from 'zod';
import type { Json } from '#model/json.ts';

/** What is done by itself: each kind by a function of its own, which may do no more than it must. */
export const JobKind = z.enum(['snapshot', 'copy', 'forget', 'check', 'drill', 'restore', 'capture']);
export type JobKind = z.infer<typeof JobKind>;

/** Something to be done at times. */
export interface Job {
  readonly kind: JobKind;
  readonly name: string;
  /** EventBridge's form, in UTC. */
  readonly schedule: string;
}

const json: z.ZodType<Json> = z.json();

/** One run of a job, which may take several calls. */
const JobRun = z.object({
  id: z.string(),
  startedAtMs: z.number(),
  /** Calls that ended in a failure that may go away. */
  attempts: z.number(),
  /** When it is tried again. */
  nextMs: z.number(),
  /** How far it came; the job's own. */
  progress: json.optional(),
});
export type JobRun = z.infer<typeof JobRun>;

/** How a run ended. */
const JobOutcome = z.object({
  id: z.string(),
  ok: z.boolean(),
  startedAtMs: z.number(),
  endedAtMs: z.number(),
  sentence: z.string(),
  result: json,
});
export type JobOutcome = z.infer<typeof JobOutcome>;

/** What is kept of a job. */
export const JobState = z.object({
  /** Up to when the schedule has been attended to, and under which expression. */
  expression: z.string(),
  untilMs: z.number(),
  /** What was asked for, of a job that nothing plans. */
  asked: json.optional(),
  run: JobRun.optional(),
  last: JobOutcome.optional(),
  /** When it last went well. */
  lastGoodMs: z.number().optional(),
});
export type JobState = z.infer<typeof JobState>;
