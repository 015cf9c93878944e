import { DAY_MS } from '#core/time.ts';
import { aggregateFunctions } from '#model/aggregate-functions.ts';
import { resolutionMs, type Tier } from '#model/tier.ts';
import type { SelectInput } from '#ports/sample-source.ts';

export interface TierPlan {
  readonly tier: Tier;
  readonly warnings: readonly string[];
}

/** Queries over more than this may be answered from aggregates although raw samples exist. */
const LONG_QUERY_MS = 2 * DAY_MS;
/** A range must hold this many intervals of the tier that answers it. */
const MIN_INTERVALS = 4;

/**
 * Which tier answers a selector. Raw samples wherever they reach back far enough and the query is not long; aggregates where
 * the function is defined on them and its range is at least four of their intervals. Where raw is gone, a plain selector reads
 * the finest tier that reaches back; a function that aggregates cannot answer gets what raw there is, and a warning.
 */
export function planTier(select: SelectInput, retentionMs: Readonly<Record<Tier, number>>, nowMs: number): TierPlan {
  const reaches = (tier: Tier) => select.startMs >= nowMs - retentionMs[tier];
  const fits = (tier: Tier) => aggregateFunctions.has(select.func) && select.rangeMs >= MIN_INTERVALS * resolutionMs[tier];
  const isPlain = select.rangeMs === 0;
  const isLong = select.endMs - select.startMs > LONG_QUERY_MS;
  if (isLong && !isPlain) {
    const step = (tier: Tier) => select.stepMs >= resolutionMs[tier];
    if (fits('cold') && step('cold') && reaches('cold')) return { tier: 'cold', warnings: [] };
    if (fits('warm') && step('warm') && reaches('warm')) return { tier: 'warm', warnings: [] };
  }
  if (reaches('hot')) return { tier: 'hot', warnings: [] };
  const coarser = (['warm', 'cold'] as const).find((tier) => (isPlain || fits(tier)) && (reaches(tier) || tier === 'cold'));
  if (coarser) return { tier: coarser, warnings: [] };
  const days = Math.round(retentionMs.hot / DAY_MS);
  return {
    tier: 'hot',
    warnings: [`raw samples are kept for ${days} days and ${select.func || 'this selector'} needs them: older times have no data here`],
  };
}
