import { forecastNext, learnJump } from './jump-forecast.ts';
import type { DetectorParameters } from './parameters.ts';
import { learnRange, learnSymmetric, limitGrowth } from './range.ts';
import { meanStep, pushRecent, recentAt, windowMeans } from './recent.ts';
import { learnSeason, type Usual, usualAt } from './season.ts';
import type { DetectorState, FeatureName } from './state.ts';

/** What is seen at one sample, before the ranges know it. */
export interface Observation {
  readonly tsMs: number;
  readonly value: number;
  /** The value, limited to what may widen the range at once: what all but the range of values sees of it. */
  readonly taken: number;
  /** Each feature's value; NaN where it cannot be told. */
  readonly features: Readonly<Record<FeatureName, number>>;
  /** The short-term forecast, what is usual at this time, and the smoothed difference from it before this sample. */
  readonly forecast: number;
  readonly usual: Usual | undefined;
  readonly differenceBefore: number;
  /** Mean of the window before the last. */
  readonly levelBefore: number;
  /** Widths below this are rounding. */
  readonly floor: number;
}

/** Widths below this part of the magnitude are rounding. */
const ROUNDING = 1e-9;

/** Looks at a sample, which enters the recent ones and the short-term forecast by that: it is a part of its own windows. */
export function observe(state: DetectorState, tsMs: number, value: number, parameters: DetectorParameters): Observation {
  const { recent, ranges, seasonDifference } = state;
  const forecast = forecastNext(state.jump, recent, parameters);
  const magnitude = Math.max(Math.abs(ranges.value.low), Math.abs(ranges.value.high));
  const floor = ROUNDING * (magnitude > 0 ? magnitude : Math.abs(value));
  const taken = limitGrowth(ranges.value, value, parameters.growth * floor, parameters);
  learnJump(state.jump, recent, taken, parameters);
  countStill(state, taken, parameters);
  pushRecent(recent, taken);
  const means = windowMeans(recent);
  const usual = usualAt(state.season, tsMs, parameters);
  const difference = usual === undefined ? Number.NaN : taken - usual.value;
  const smoothed = Number.isNaN(seasonDifference)
    ? difference
    : seasonDifference + (difference - seasonDifference) * parameters.seasonSmoothing;
  return {
    tsMs,
    value,
    taken,
    features: {
      value,
      jump: taken - forecast,
      season: smoothed,
      level: means.last - means.before,
      motion: meanStep(recent),
    },
    forecast,
    usual,
    differenceBefore: seasonDifference,
    levelBefore: means.before,
    floor,
  };
}

function countStill(state: DetectorState, value: number, { memorySamples }: DetectorParameters): void {
  if (state.recent.count === 0) return;
  const same = value === recentAt(state.recent, 0);
  state.still = same ? state.still + 1 : 0;
  state.stillShare += ((same ? 1 : 0) - state.stillShare) / Math.min(state.recent.count, memorySamples);
}

/** Takes an observation into the ranges and the season. */
export function learnObservation(state: DetectorState, seen: Observation, parameters: DetectorParameters): void {
  const { ranges } = state;
  const { features, floor } = seen;
  const width = Math.max(ranges.value.high - ranges.value.low, floor); // what is usual for values is no glitch in their differences
  learnRange(ranges.value, features.value, parameters.growth * floor, parameters);
  if (!Number.isNaN(features.jump)) learnSymmetric(ranges.jump, features.jump, width, parameters);
  if (!Number.isNaN(features.level)) learnRange(ranges.level, features.level, width, parameters);
  if (!Number.isNaN(features.motion)) learnRange(ranges.motion, features.motion, width, parameters);
  state.seasonDifference = features.season;
  if (!Number.isNaN(features.season)) {
    learnRange(ranges.season, features.season, width, parameters);
    if (!(state.seasonSinceMs <= seen.tsMs)) state.seasonSinceMs = seen.tsMs; // none yet, or a clock that was set back
  }
  learnSeason(state.season, seen.tsMs, seen.taken, parameters);
}
