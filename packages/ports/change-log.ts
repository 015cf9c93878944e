import type { SourceGuarantee } from './backup-source.ts';

/** Encrypts objects of a log, each bound to its place: what was sealed for another key, or changed since, does not open (`input`, naming it). */
export interface Seal {
  seal(plain: Uint8Array, key: string): Promise<Uint8Array>;
  open(sealed: Uint8Array, key: string): Promise<Uint8Array>;
}

/** From one instant until another, exclusive, in ms. */
export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Which times a log covers. */
export interface LogCoverage {
  /** Stretches without a gap, the earliest first. */
  readonly stretches: readonly Stretch[];
  /** Between them: changes of these times may be lost. */
  readonly gaps: readonly Stretch[];
  /**
   * The recovery point objective that was really had: the longest time whose changes were, at some moment, not in the log. The largest gap,
   * the longest time between captures, or the oldest change that a capture found.
   */
  readonly rpoMs: number;
}

/** What one capture came to. */
export interface CaptureReport {
  readonly changes: number;
  readonly parts: number;
  /** The log is whole up to here; undefined where the time ended before the capture did. */
  readonly untilMs?: number | undefined;
  /** Changes of these times may be lost. */
  readonly gap?: Stretch | undefined;
  /** How old the oldest change was that it found. */
  readonly lagMs: number;
}

/** A moment to bring a restored base to. */
export interface ReplayMoment {
  /** What the base's snapshot says of itself. */
  readonly base: Pick<SourceGuarantee, 'consistency' | 'at'>;
  /** When its last item had been read; a fuzzy base cannot be restored to a moment before that. */
  readonly baseEndedAtMs: number;
  /** To the end of this second. */
  readonly momentMs: number;
  /** Goes on where the log has gaps; what was changed in them is then wrong. Default false: `conflict`. */
  readonly acceptGaps?: boolean | undefined;
}

/**
 * What was changed in a source between its snapshots, kept beside a repository. Any call may be repeated, and made by two at once. Errors: `input`
 * for a source that tells no changes, `missing`, `denied`, `unavailable`.
 */
export interface ChangeLog {
  /** Takes what the source has told since the last capture. No new part is begun past the deadline; what is left the next capture takes. */
  capture(deadlineMs?: number): Promise<CaptureReport>;
  coverage(): Promise<LogCoverage>;
  /** Nothing where the base can be brought to the moment; else `input` (it is before the base), `missing` or `conflict` (a gap). */
  assertReaches(moment: ReplayMoment): Promise<void>;
  /** Brings what the base was restored to, whole and as the snapshot has it, to the moment; from its beginning each time. */
  replay(to: string, moment: ReplayMoment): Promise<{ readonly changes: number; readonly gaps: readonly Stretch[] }>;
  /** Deletes what no base of that time or later needs; gives how much. */
  prune(keepFromMs: number): Promise<number>;
}

/** How far the clocks of a source and of whoever reads it may be apart. */
const CLOCKS_APART_MS = 5_000;

/** From which changes to which a base is brought to a moment; `earliestMs`: no moment that ends before it can be had from this base. */
export function planReplay({ base, baseEndedAtMs, momentMs }: Omit<ReplayMoment, 'acceptGaps'>) {
  const isMoment = base.consistency === 'moment';
  // A base's instant is by the stream's own clock; when a scan began and ended is by another.
  const fromMs = Date.parse(base.at) - (isMoment ? 0 : CLOCKS_APART_MS);
  return { fromMs, toMs: endOfSecond(momentMs), earliestMs: isMoment ? fromMs : baseEndedAtMs + CLOCKS_APART_MS };
}

/** The first instant after a second, to which a restore "to" that second goes: all of its changes are in it. */
export function endOfSecond(timeMs: number): number {
  return (Math.floor(timeMs / 1_000) + 1) * 1_000;
}
