import type { HistoryEntry, Release } from '#releases/release/release.ts';

/** What a release tells the world; the details that all have alike are added when it is sent. */
export interface Told {
  readonly number: number;
  /** When it happened, later than whatever was told before: who hears of it goes by that, and clocks jump back. */
  readonly atMs: number;
  readonly detailType: ReleaseEventName;
  readonly sentence: string;
  readonly more: Readonly<Record<string, unknown>>;
}

export type ReleaseEventName =
  | 'Release Started'
  | 'Canary Step Due'
  | 'Analysis Completed'
  | 'Release Waiting'
  | 'Release Stuck'
  | 'Release Paused'
  | 'Release Resumed'
  | 'Release Promoted'
  | 'Release Rolling Back'
  | 'Release Rolled Back'
  | 'Release Cancelled';

/** A release while a plan is made of it: the one place where anything is changed. */
export interface Draft {
  release: Release;
  /** Whether there is something to store. */
  isChanged: boolean;
  readonly history: HistoryEntry[];
  readonly told: Told[];
  readonly nowMs: number;
}

export function openDraft(release: Release, nowMs: number): Draft {
  return { release, isChanged: false, history: [], told: [], nowMs };
}

export function change(draft: Draft, changes: Partial<Release>): void {
  draft.release = { ...draft.release, ...changes };
  draft.isChanged = true;
}

/** Adds to the history. */
export function note(draft: Draft, kind: HistoryEntry['kind'], sentence: string, more: Partial<HistoryEntry> = {}): void {
  const number = draft.release.entries + 1;
  change(draft, { entries: number });
  draft.history.push({ number, atMs: draft.nowMs, kind, sentence, ...more });
}

/** Tells the world. */
export function tell(draft: Draft, detailType: ReleaseEventName, sentence: string, more: Told['more'] = {}): void {
  const { events, toldAtMs = 0 } = draft.release;
  const number = events + 1;
  const atMs = Math.max(draft.nowMs, toldAtMs + 1);
  change(draft, { events: number, toldAtMs: atMs });
  draft.told.push({ number, atMs, detailType, sentence, more });
}
