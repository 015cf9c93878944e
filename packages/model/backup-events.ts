import * as z from 'zod';
import { Envelope } from './event-envelope.ts';

const AboutJob = Envelope.extend({
  /** What it is called in backups.yaml; of a restore, its id. */
  name: z.string(),
  /** Names the run. */
  run: z.string(),
  /** What came of it, for people. */
  sentence: z.string(),
  startedAt: z.iso.datetime(),
});

/** Somebody asked for a run, which waits for its function. */
export const JobAsked = Envelope.extend({
  /** snapshot, restore or drill. */
  job: z.string(),
  /** What it is called in backups.yaml; of a restore, its id. */
  name: z.string(),
  /** Names the run. */
  run: z.string(),
});
export type JobAsked = z.infer<typeof JobAsked>;

/** A snapshot was taken. */
export const SnapshotCompleted = AboutJob.extend({
  /** Names the snapshot. */
  snapshot: z.string(),
  /** Things that could not be read. */
  faults: z.int().min(0),
});
export type SnapshotCompleted = z.infer<typeof SnapshotCompleted>;

/** A backup could not be taken. */
export const BackupFailed = AboutJob.extend({});
export type BackupFailed = z.infer<typeof BackupFailed>;

/** A backup, restore or drill has come some way and goes on. */
export const BackupProgressed = AboutJob.extend({
  /** snapshot, copy, restore or drill. */
  job: z.string(),
});
export type BackupProgressed = z.infer<typeof BackupProgressed>;

/** Snapshots were copied to another repository. */
export const SnapshotsCopied = AboutJob.extend({});
export type SnapshotsCopied = z.infer<typeof SnapshotsCopied>;

/** Snapshots could not be copied to another repository. */
export const CopyFailed = AboutJob.extend({});
export type CopyFailed = z.infer<typeof CopyFailed>;

/** Snapshots were forgotten by their retention, and what nothing needs any more was pruned. */
export const SnapshotsForgotten = AboutJob.extend({});
export type SnapshotsForgotten = z.infer<typeof SnapshotsForgotten>;

/** Snapshots could not be forgotten, or packs not be pruned. */
export const ForgetFailed = AboutJob.extend({});
export type ForgetFailed = z.infer<typeof ForgetFailed>;

/** A repository was checked, and is sound as far as was looked. */
export const CheckCompleted = AboutJob.extend({});
export type CheckCompleted = z.infer<typeof CheckCompleted>;

/** A repository is damaged, or could not be checked. */
export const CheckFailed = AboutJob.extend({});
export type CheckFailed = z.infer<typeof CheckFailed>;

/** A snapshot was restored for a drill, and everything was as it was. */
export const DrillCompleted = AboutJob.extend({});
export type DrillCompleted = z.infer<typeof DrillCompleted>;

/** A drill found that a snapshot does not restore as it should, or missed its objectives. */
export const DrillFailed = AboutJob.extend({});
export type DrillFailed = z.infer<typeof DrillFailed>;

/** A snapshot was restored. */
export const RestoreCompleted = AboutJob.extend({});
export type RestoreCompleted = z.infer<typeof RestoreCompleted>;

/** A snapshot could not be restored, or not all of it. */
export const RestoreFailed = AboutJob.extend({});
export type RestoreFailed = z.infer<typeof RestoreFailed>;

/** The changes of a table could not be captured; told once, until a capture goes well again. */
export const CaptureFailed = AboutJob.extend({});
export type CaptureFailed = z.infer<typeof CaptureFailed>;

/** Changes of a table may be lost: a gap in its log is longer than any before. */
export const ChangesMissed = Envelope.extend({
  /** The backup, as backups.yaml calls it. */
  name: z.string(),
  /** For people. */
  sentence: z.string(),
  /** Of the gap. */
  from: z.iso.datetime(),
  until: z.iso.datetime(),
});
export type ChangesMissed = z.infer<typeof ChangesMissed>;

const SOURCE = 'quarterdeck.backups';

/** Every event of backups. */
export const backupEventTypes = [
  { source: SOURCE, detailType: 'Job Asked', schema: JobAsked },
  { source: SOURCE, detailType: 'Snapshot Completed', schema: SnapshotCompleted },
  { source: SOURCE, detailType: 'Backup Failed', schema: BackupFailed },
  { source: SOURCE, detailType: 'Backup Progressed', schema: BackupProgressed },
  { source: SOURCE, detailType: 'Snapshots Copied', schema: SnapshotsCopied },
  { source: SOURCE, detailType: 'Copy Failed', schema: CopyFailed },
  { source: SOURCE, detailType: 'Snapshots Forgotten', schema: SnapshotsForgotten },
  { source: SOURCE, detailType: 'Forget Failed', schema: ForgetFailed },
  { source: SOURCE, detailType: 'Check Completed', schema: CheckCompleted },
  { source: SOURCE, detailType: 'Check Failed', schema: CheckFailed },
  { source: SOURCE, detailType: 'Drill Completed', schema: DrillCompleted },
  { source: SOURCE, detailType: 'Drill Failed', schema: DrillFailed },
  { source: SOURCE, detailType: 'Restore Completed', schema: RestoreCompleted },
  { source: SOURCE, detailType: 'Restore Failed', schema: RestoreFailed },
  { source: SOURCE, detailType: 'Capture Failed', schema: CaptureFailed },
  { source: SOURCE, detailType: 'Changes Missed', schema: ChangesMissed },
] as const;
