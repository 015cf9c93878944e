import { DAY_MS } from '#core/time.ts';
import type { Tier } from '#model/tier.ts';
import { stateOf, type WindowState } from './catalog.ts';
import { dayStart, LEVEL, visibleEntries, type Window } from './catalog-entry.ts';
import { isFinal } from './plan-downsampling.ts';

/** One day's windows in every tier. */
export type DayState = Readonly<Record<Tier, WindowState & { readonly listed: boolean }>>;

export interface ExpiryVerdict {
  readonly tier: Tier;
  readonly expire: boolean;
  /** Why, in words. */
  readonly reason: string;
}

/** Imported history stays as raw at least this long, so that an import's later parts meet its earlier ones. */
const SETTLE_MS = DAY_MS;

/**
 * Which of a day's tiers are past their retention and may go: raw only once both its successors hold all of it, 5 min rows
 * only once the 1 h rows do, and either only once queries that were planned before that commit are over. `graceMs` is for
 * those, and for queries that began before the cut-off passed. An expiry that has begun goes on whatever else.
 */
export function planExpiry(day: DayState, retentionMs: Readonly<Record<Tier, number>>, nowMs: number, graceMs: number): ExpiryVerdict[] {
  const verdict = (tier: Tier, findObstacle: () => string | undefined): ExpiryVerdict => {
    const { head, entries, listed, window } = day[tier];
    if (entries.length === 0 && !listed) return { tier, expire: false, reason: 'holds nothing' };
    if (head.expired) return { tier, expire: true, reason: 'past its retention' };
    if (isWithinRetention(window, retentionMs[tier], nowMs, graceMs)) return { tier, expire: false, reason: 'within its retention' };
    const obstacle = entries.length === 0 ? undefined : findObstacle();
    return { tier, expire: obstacle === undefined, reason: obstacle ?? 'past its retention' };
  };
  return [
    verdict('hot', () => hotObstacle(day, nowMs) ?? warmObstacle(day, nowMs, graceMs)),
    verdict('warm', () => warmObstacle(day, nowMs, graceMs)),
    verdict('cold', () => undefined),
  ];
}

/** True until a day's retention, and the queries that began within it, are over. */
export function isWithinRetention(window: Pick<Window, 'date'>, retentionMs: number, nowMs: number, graceMs: number): boolean {
  return nowMs < dayStart(window) + DAY_MS + retentionMs + graceMs;
}

function hotObstacle({ hot, warm }: DayState, nowMs: number): string | undefined {
  const visible = visibleEntries(hot.entries);
  if (!isFinal(visible)) return 'has data that is not compacted yet';
  if (visible.some((entry) => nowMs - entry.createdAtMs < SETTLE_MS)) return 'was written to within the last day';
  return warm.head.source === stateOf(hot) ? undefined : 'its 5 min aggregates are not committed yet';
}

function warmObstacle({ warm, cold }: DayState, nowMs: number, graceMs: number): string | undefined {
  if (warm.head.expired && warm.entries.length === 0) return undefined;
  if (cold.head.source !== stateOf(warm)) return 'its 1 h aggregates are not committed yet';
  const committedAtMs = Math.max(warm.head.committedAtMs, cold.head.committedAtMs);
  return nowMs - committedAtMs < graceMs ? 'its aggregates were committed only now' : undefined;
}

/**
 * True if raw samples came after the plan to expire their window, which has been closed since, so that no more can. Those are the
 * visible entries that are not final, since a window is planned only when all are.
 */
export function holdsLatecomers({ window, entries }: WindowState): boolean {
  return window.tier === 'hot' && visibleEntries(entries).some((entry) => entry.level < LEVEL.final);
}
