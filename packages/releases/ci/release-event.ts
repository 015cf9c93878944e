import * as z from 'zod';

/** What the events of a release carry, as far as answers need it. */
export const ReleaseEvent = z.object({
  /** Unique: the same event may come twice. */
  id: z.string().min(1).max(200),
  tenant: z.string().min(1).max(64),
  /** When it happened; events may come in another order. */
  at: z.iso.datetime(),
  release: z.string().min(1).max(200),
  /** Of a request that was refused, the repository, where it named no application. */
  application: z.string().min(1).max(400),
  environment: z.string().min(1).max(200),
  /** Of a request that was refused: false where no application and environment of ours was asked for. */
  isConfigured: z.boolean().optional(),
  version: z.string().max(200).optional(),
  /** Full commit id. */
  commit: z.string().max(128).optional(),
  /** What happened and why, in words. */
  sentence: z.string().max(10_000),
  /** Where people see the release. */
  url: z.string().max(2_000).optional(),
  /** Of the report that asked for the release: how its answer gets back. */
  reply: z.record(z.string(), z.string()).optional(),
  /** Of further reports that asked for the same. */
  replies: z.array(z.record(z.string(), z.string())).max(50).optional(),
  /** What is decided by this event, where its kind does not say so. */
  decision: z.enum(['approved', 'rejected']).optional(),
});
export type ReleaseEvent = z.infer<typeof ReleaseEvent>;

/** How far a release is. */
export type Phase = 'waiting' | 'running' | 'succeeded' | 'failed' | 'aborted';

const phases: Readonly<Record<string, Phase>> = {
  'Release Waiting': 'waiting',
  'Release Paused': 'waiting',
  'Release Started': 'running',
  'Release Resumed': 'running',
  'Release Promoted': 'succeeded',
  'Release Rolled Back': 'failed',
  'Release Cancelled': 'aborted',
  'Release Refused': 'aborted',
};

/** The kinds of events that are answered: what the function subscribes to. */
export const answeredEvents: readonly string[] = Object.keys(phases);

/** How far the release is by an event of that kind; undefined where the kind tells nobody anything. */
export function phaseOf(detailType: string): Phase | undefined {
  return Object.hasOwn(phases, detailType) ? phases[detailType] : undefined;
}
