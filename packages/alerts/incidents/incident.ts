import type { LabelSet } from '#model/alert.ts';
import type { Learned } from './learned.ts';

/** An alert as incidents know it. */
export interface Member {
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly startsAtMs: number;
  /** Undefined while it fires. */
  readonly endedAtMs?: number | undefined;
}

/** Something that happened to an incident; written once, never changed. */
export interface HistoryEntry {
  readonly atMs: number;
  readonly kind: 'opened' | 'joined' | 'ended' | 'fired-again' | 'merged' | 'severity' | 'resolved';
  /** One sentence. */
  readonly text: string;
  /** Alerts that it is about; of a merger those that came with it. */
  readonly alerts: number;
  /** The other incident of a merger. */
  readonly incident?: string | undefined;
}

/** What speaks for an alert as the cause, each from 0 to 1. */
export interface Evidence {
  /** 1 for the first to begin; half of it a minute later. */
  readonly earliness: number;
  /** Share of the other alerts whose labels lie within its own. */
  readonly fanOut: number;
  /** Share of the other alerts that name it as what they depend on. */
  readonly upstream: number;
  /** How often its name came before the others' in the past, where one of them did. */
  readonly precedence: number;
  /** By the order of severities. */
  readonly severity: number;
}

/** A probable cause. */
export interface Cause {
  readonly fingerprint: string;
  readonly labels: LabelSet;
  readonly startsAtMs: number;
  /** From 0 to 1; only comparable within one incident. */
  readonly score: number;
  readonly evidence: Evidence;
  /** The evidence in words. */
  readonly sentence: string;
}

/** Alerts that belong together. */
export interface Incident {
  /** Sorts by when it was opened. */
  readonly id: string;
  readonly status: 'open' | 'resolved' | 'merged';
  /** What it is called in one line. */
  readonly title: string;
  /** The highest that a member ever had; '' for none. */
  readonly severity: string;
  /** What all members had in common when it was opened. */
  readonly labels: LabelSet;
  readonly openedAtMs: number;
  /** Start of its first alert. */
  readonly startedAtMs: number;
  readonly closedAtMs?: number | undefined;
  readonly mergedInto?: string | undefined;
  /** Members so far, and those that fire. */
  readonly alerts: number;
  readonly firing: number;
  /** Members by alertname. */
  readonly names: Readonly<Record<string, number>>;
  /** The most probable first. */
  readonly causes: readonly Cause[];
  readonly history: readonly HistoryEntry[];
}

/** Alerts that are linked; too few of them are no incident yet. */
export interface Cluster {
  /** Fingerprints; each alert is in one cluster. */
  readonly members: readonly string[];
  readonly incident?: Incident | undefined;
}

/** What is remembered of a tenant's alerts and incidents. */
export interface IncidentState {
  /** Members of the clusters by fingerprint. */
  readonly alerts: ReadonlyMap<string, Member>;
  readonly clusters: readonly Cluster[];
  readonly learned: Learned;
}

/** Something to tell of: opened, or closed by resolution or merger, or merged from another one. */
export type IncidentChange =
  | { readonly kind: 'opened' | 'resolved'; readonly incident: Incident }
  | { readonly kind: 'merged'; readonly incident: Incident; readonly from: Incident };
