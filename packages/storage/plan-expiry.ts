import { DAY_MS } from '#core/time.ts';
import type { Tier } from '#model/tier.ts';
import { stateOf, type WindowState } from './catalog.ts';
import { visibleEntries } from './catalog-entry.ts';
import { dayStart } from './plan-compaction.ts';
import { isFinal } from './plan-downsampling.ts';

/** One day's windows in every tier. */
export type DayState = Readonly<Record<Tier, WindowState>>;

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
 * only once the 1 h rows do. `graceMs` is for queries that began before the cut-off passed.
 */
export function planExpiry(day: DayState, retentionMs: Readonly<Record<Tier, number>>, nowMs: number, graceMs: number): ExpiryVerdict[] {
  const verdict = (tier: Tier, obstacle: string | undefined): ExpiryVerdict => {
    const state = day[tier];
    if (state.entries.length === 0) return { tier, expire: false, reason: 'holds nothing' };
    const endMs = dayStart(state.window) + DAY_MS;
    if (nowMs < endMs + retentionMs[tier] + graceMs) return { tier, expire: false, reason: 'within its retention' };
    if (obstacle !== undefined) return { tier, expire: false, reason: obstacle };
    return { tier, expire: true, reason: 'past its retention' };
  };
  return [verdict('hot', hotObstacle(day, nowMs)), verdict('warm', warmObstacle(day)), verdict('cold', undefined)];
}

function hotObstacle(day: DayState, nowMs: number): string | undefined {
  const visible = visibleEntries(day.hot.entries);
  if (!isFinal(visible)) return 'has data that is not compacted yet';
  if (visible.some((entry) => nowMs - entry.createdAtMs < SETTLE_MS)) return 'was written to within the last day';
  if (day.warm.head.source !== stateOf(day.hot)) return 'its 5 min aggregates are not committed yet';
  return warmObstacle(day);
}

function warmObstacle(day: DayState): string | undefined {
  return day.cold.head.source === stateOf(day.warm) ? undefined : 'its 1 h aggregates are not committed yet';
}
