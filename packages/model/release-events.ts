import * as z from 'zod';
import { CiReport } from './ci-report.ts';
import { Envelope } from './event-envelope.ts';

/** A CI system has said something: a version wants to go somewhere, a check has ended, a person has decided. */
export const CiReported = Envelope.extend({
  /** What it said, in one form whoever said it. */
  report: CiReport,
});
export type CiReported = z.infer<typeof CiReported>;

const AboutRelease = Envelope.extend({
  /** Names it in the API. */
  release: z.string(),
  application: z.string(),
  environment: z.string(),
  version: z.string(),
  commit: z.string(),
  /** Where the release stands: queued, progressing, rolling-back, promoted, rolled-back or cancelled. */
  state: z.enum(['queued', 'progressing', 'rolling-back', 'promoted', 'rolled-back', 'cancelled']),
  /** What happened, for people. */
  sentence: z.string(),
  /** Where the release can be looked at. */
  url: z.string(),
  /** How one who asked for it wants to be answered, as it came; where several asked, each of them has an event of its own. */
  reply: z.record(z.string(), z.string()).optional(),
});

/** A release wants to be looked at. Only starts what does so, which looks each minute in any case: it goes by no outbox. */
export const ReleaseDue = Envelope.extend({
  /** Names it in the API. */
  release: z.string(),
});
export type ReleaseDue = z.infer<typeof ReleaseDue>;

/** A request for a release could not be taken. */
export const ReleaseRefused = Envelope.extend({
  /** Names the request: there is no release of that name. */
  release: z.string(),
  /** What was asked for; the repository where it was no application. */
  application: z.string(),
  /** What was asked for; `none` where it was none. */
  environment: z.string(),
  /** Whether there is such an application and environment here. Where not, only who waits for a decision is answered. */
  isConfigured: z.boolean(),
  version: z.string(),
  commit: z.string(),
  /** Why, for people. */
  sentence: z.string(),
  /** How the one who asked wants to be answered, as it came. */
  reply: z.record(z.string(), z.string()).optional(),
});
export type ReleaseRefused = z.infer<typeof ReleaseRefused>;

/** It is a release's turn in its environment. */
export const ReleaseStarted = AboutRelease.extend({});
export type ReleaseStarted = z.infer<typeof ReleaseStarted>;

/** All gates of a step are open, and its weight is about to be set. */
export const CanaryStepDue = AboutRelease.extend({
  /** Which step, from 1. */
  step: z.int().min(1),
  /** How many there are. */
  steps: z.int().min(1),
  /** Percent of the traffic that the version is to get. */
  weight: z.number(),
});
export type CanaryStepDue = z.infer<typeof CanaryStepDue>;

/** An analysis came to an end: passed, failed, or inconclusive. */
export const AnalysisCompleted = AboutRelease.extend({
  /** What the gate is called. */
  analysis: z.string(),
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  /** At which step, from 1. */
  step: z.int().min(1),
  /** Looks taken. */
  look: z.int().min(1),
});
export type AnalysisCompleted = z.infer<typeof AnalysisCompleted>;

/** A release waits for gates that are shut. */
export const ReleaseWaiting = AboutRelease.extend({
  /** Those in its way: `name`, `state` (shut or failed), `sentence`. */
  gates: z.array(z.object({ name: z.string(), state: z.string(), sentence: z.string() })),
});
export type ReleaseWaiting = z.infer<typeof ReleaseWaiting>;

/** A release cannot reach what shifts its traffic, or that does not do what it is told; it is tried again and again. */
export const ReleaseStuck = AboutRelease.extend({
  /** Failures in a row. */
  attempts: z.int().min(1),
});
export type ReleaseStuck = z.infer<typeof ReleaseStuck>;

/** A person keeps a release from its next step. */
export const ReleasePaused = AboutRelease.extend({});
export type ReleasePaused = z.infer<typeof ReleasePaused>;

/** A person lets a paused release go on. */
export const ReleaseResumed = AboutRelease.extend({});
export type ReleaseResumed = z.infer<typeof ReleaseResumed>;

/** A version has all the traffic of its environment, and passed all there was to pass. */
export const ReleasePromoted = AboutRelease.extend({});
export type ReleasePromoted = z.infer<typeof ReleasePromoted>;

/** A release has failed, and its traffic goes back. */
export const ReleaseRollingBack = AboutRelease.extend({});
export type ReleaseRollingBack = z.infer<typeof ReleaseRollingBack>;

/** The traffic of a release that has failed is back where it was. */
export const ReleaseRolledBack = AboutRelease.extend({});
export type ReleaseRolledBack = z.infer<typeof ReleaseRolledBack>;

/** A release ended before anything was shifted. */
export const ReleaseCancelled = AboutRelease.extend({});
export type ReleaseCancelled = z.infer<typeof ReleaseCancelled>;

const SOURCE = 'quarterdeck.releases';

/** Every event of releases; part of `eventTypes`. */
export const releaseEventTypes = [
  { source: SOURCE, detailType: 'Ci Reported', schema: CiReported },
  { source: SOURCE, detailType: 'Release Due', schema: ReleaseDue },
  { source: SOURCE, detailType: 'Release Refused', schema: ReleaseRefused },
  { source: SOURCE, detailType: 'Release Started', schema: ReleaseStarted },
  { source: SOURCE, detailType: 'Canary Step Due', schema: CanaryStepDue },
  { source: SOURCE, detailType: 'Analysis Completed', schema: AnalysisCompleted },
  { source: SOURCE, detailType: 'Release Waiting', schema: ReleaseWaiting },
  { source: SOURCE, detailType: 'Release Stuck', schema: ReleaseStuck },
  { source: SOURCE, detailType: 'Release Paused', schema: ReleasePaused },
  { source: SOURCE, detailType: 'Release Resumed', schema: ReleaseResumed },
  { source: SOURCE, detailType: 'Release Promoted', schema: ReleasePromoted },
  { source: SOURCE, detailType: 'Release Rolling Back', schema: ReleaseRollingBack },
  { source: SOURCE, detailType: 'Release Rolled Back', schema: ReleaseRolledBack },
  { source: SOURCE, detailType: 'Release Cancelled', schema: ReleaseCancelled },
] as const;
