import { DAY_MS } from '#core/time.ts';

/** Hot holds raw samples, warm 5 min aggregates, cold 1 h aggregates. */
export type Tier = 'hot' | 'warm' | 'cold';

export const tiers: readonly Tier[] = ['hot', 'warm', 'cold'];

/** Width of an interval; 0 for raw samples. */
export const resolutionMs: Readonly<Record<Tier, number>> = { hot: 0, warm: 300_000, cold: 3_600_000 };

/** How long each tier is kept where a tenant says nothing. */
export const defaultRetentionMs: Readonly<Record<Tier, number>> = { hot: 15 * DAY_MS, warm: 90 * DAY_MS, cold: 400 * DAY_MS };
