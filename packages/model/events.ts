import * as z from 'zod';
import { backupEventTypes } from './backup-events.ts';
import { ConfigChanged } from './configuration-events.ts';
import { Envelope } from './event-envelope.ts';
import { FlagChanged } from './flag-events.ts';
import { kubernetesEventTypes } from './kubernetes-events.ts';
import { releaseEventTypes } from './release-events.ts';

/** A window's data was rewritten: compacted, or derived as aggregates. */
export const BlockCommitted = Envelope.extend({
  signal: z.literal('metrics'),
  tier: z.enum(['hot', 'warm', 'cold']),
  /** The UTC day that is the window. */
  date: z.iso.date(),
  /** Whether the window now consists of final blocks, so that its aggregates can be made. */
  final: z.boolean(),
  /** Blocks written. */
  blocks: z.int().min(0),
  rows: z.int().min(0),
  sizeBytes: z.int().min(0),
});
export type BlockCommitted = z.infer<typeof BlockCommitted>;

/** A window's data was deleted at the end of its retention. */
export const WindowExpired = Envelope.extend({
  signal: z.literal('metrics'),
  tier: z.enum(['hot', 'warm', 'cold']),
  /** The UTC day that was the window. */
  date: z.iso.date(),
  /** Segments and blocks deleted. */
  blocks: z.int().min(0),
});
export type WindowExpired = z.infer<typeof WindowExpired>;

/** An import stopped before the end of its file, and is to go on from there. */
export const ImportContinued = Envelope.extend({ uploadId: z.string() });
export type ImportContinued = z.infer<typeof ImportContinued>;

/** An uploaded file has been imported, or given up. */
export const ImportFinished = Envelope.extend({
  uploadId: z.string(),
  state: z.enum(['done', 'failed']),
  /** Samples taken. */
  accepted: z.int().min(0),
  /** Samples left out. */
  rejected: z.int().min(0),
});
export type ImportFinished = z.infer<typeof ImportFinished>;

const Labels = z.record(z.string(), z.string());

const ToldAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: Labels,
  annotations: Labels,
  startsAt: z.string(),
  /** 0001-01-01T00:00:00Z while it fires. */
  endsAt: z.string(),
  generatorURL: z.string(),
  fingerprint: z.string(),
});

/** Alerts of a tenant wait to be taken in. Only starts what takes them in, which looks each minute in any case: it goes by no outbox. */
export const AlertsReceived = Envelope.extend({});
export type AlertsReceived = z.infer<typeof AlertsReceived>;

/** Alerts of a tenant began to fire, or ended. */
export const AlertsChanged = Envelope.extend({
  /** Alerts that began. */
  firing: z.int().min(0),
  /** Alerts that ended. */
  resolved: z.int().min(0),
  /** Of both kinds, as many as fit. */
  alerts: z.array(ToldAlert),
  /** Those that did not fit. */
  truncatedAlerts: z.int().min(0),
});
export type AlertsChanged = z.infer<typeof AlertsChanged>;

/** Notifications of a tenant are to be sent. Only starts what sends them, which looks each minute in any case: it goes by no outbox. */
export const NotificationsDue = Envelope.extend({});
export type NotificationsDue = z.infer<typeof NotificationsDue>;

/** A notification of a group of alerts, on the bus of a receiver that is one; the receiver may call it otherwise. */
export const NotificationSent = Envelope.extend({
  /** Name of the receiver. */
  receiver: z.string(),
  /** Of the group: firing while one of its alerts is. */
  status: z.enum(['firing', 'resolved']),
  /** Of the group; the same in every notification of it. */
  groupKey: z.string(),
  groupLabels: Labels,
  /** Labels that all alerts of the group have alike. */
  commonLabels: Labels,
  /** Annotations that all alerts of the group have alike. */
  commonAnnotations: Labels,
  externalURL: z.string(),
  alerts: z.array(ToldAlert),
  /** Alerts of the group that did not fit into the event. */
  truncatedAlerts: z.int().min(0),
});
export type NotificationSent = z.infer<typeof NotificationSent>;

const CauseTold = z.object({
  labels: Labels,
  /** From 0 to 1. */
  score: z.number(),
  /** The evidence in words. */
  sentence: z.string(),
});

/** Alerts that belong together became an incident. */
export const IncidentOpened = Envelope.extend({
  /** Names it in the API. */
  incident: z.string(),
  /** What it is called in one line. */
  title: z.string(),
  /** The highest of its alerts; empty for none. */
  severity: z.string(),
  /** Alerts in it. */
  alerts: z.int().min(0),
  /** Labels that all of its alerts have alike. */
  labels: Labels,
  /** When its first alert began. */
  startedAt: z.iso.datetime(),
  /** Alerts by alertname, at most 50 names. */
  names: z.record(z.string(), z.int()),
  /** Probable causes, the most probable first: `labels` of the alert, `score`, `sentence`. */
  causes: z.array(CauseTold),
});
export type IncidentOpened = z.infer<typeof IncidentOpened>;

/** Two incidents turned out to be one. */
export const IncidentMerged = Envelope.extend({
  /** The one that goes on. */
  incident: z.string(),
  /** What it is called in one line. */
  title: z.string(),
  /** The highest of its alerts; empty for none. */
  severity: z.string(),
  /** Alerts in it before. */
  alerts: z.int().min(0),
  /** The one that is over. */
  from: z.string(),
  /** Alerts that came with it. */
  fromAlerts: z.int().min(0),
});
export type IncidentMerged = z.infer<typeof IncidentMerged>;

/** Nothing of an incident fires any more, for some time. */
export const IncidentResolved = Envelope.extend({
  /** Names it in the API. */
  incident: z.string(),
  /** What it is called in one line. */
  title: z.string(),
  /** The highest of its alerts; empty for none. */
  severity: z.string(),
  /** Alerts that were in it. */
  alerts: z.int().min(0),
  /** Labels that all of its alerts had alike when it was opened. */
  labels: Labels,
  /** When its first alert began. */
  startedAt: z.iso.datetime(),
  /** When it was opened. */
  openedAt: z.iso.datetime(),
  /** Alerts by alertname, at most 50 names. */
  names: z.record(z.string(), z.int()),
  /** Probable causes, the most probable first: `labels` of the alert, `score`, `sentence`. */
  causes: z.array(CauseTold),
});
export type IncidentResolved = z.infer<typeof IncidentResolved>;

/** Every event that we publish: where it comes from, what it is called, what it carries. docs/events.md is made from this. */
export const eventTypes = [
  { source: 'quarterdeck.storage', detailType: 'Block Committed', schema: BlockCommitted },
  { source: 'quarterdeck.storage', detailType: 'Window Expired', schema: WindowExpired },
  { source: 'quarterdeck.ingest', detailType: 'Import Continued', schema: ImportContinued },
  { source: 'quarterdeck.ingest', detailType: 'Import Finished', schema: ImportFinished },
  { source: 'quarterdeck.alerts', detailType: 'Alerts Received', schema: AlertsReceived },
  { source: 'quarterdeck.alerts', detailType: 'Alerts Changed', schema: AlertsChanged },
  { source: 'quarterdeck.alerts', detailType: 'Notifications Due', schema: NotificationsDue },
  { source: 'quarterdeck.alerts', detailType: 'Notification Sent', schema: NotificationSent },
  { source: 'quarterdeck.alerts', detailType: 'Incident Opened', schema: IncidentOpened },
  { source: 'quarterdeck.alerts', detailType: 'Incident Merged', schema: IncidentMerged },
  { source: 'quarterdeck.alerts', detailType: 'Incident Resolved', schema: IncidentResolved },
  { source: 'quarterdeck.releases', detailType: 'Config Changed', schema: ConfigChanged },
  ...kubernetesEventTypes,
  ...backupEventTypes,
  { source: 'quarterdeck.flags', detailType: 'Flag Changed', schema: FlagChanged },
  ...releaseEventTypes,
] as const;
