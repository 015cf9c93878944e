import { createJumpForecast, type JumpForecast } from './jump-forecast.ts';
import { type DetectorParameters, detectorParameters } from './parameters.ts';
import { createRange, type Range } from './range.ts';
import { createRecent, type Recent } from './recent.ts';
import { createSeason, type Season } from './season.ts';

/** What is watched of a series, each with the range where it has been. */
export const featureNames = ['value', 'jump', 'season', 'level', 'motion'] as const;
export type FeatureName = (typeof featureNames)[number];

/** All that the detector remembers of one series. It is updated in place; times are ms since the epoch, NaN where there is none. */
export interface DetectorState {
  /** How often samples are due, where the caller knows it. */
  expectedIntervalMs: number;
  lastMs: number;
  /** Mean interval, and the longest so far, slowly forgotten. */
  intervalMs: number;
  longestMs: number;
  intervals: number;
  readonly ranges: Readonly<Record<FeatureName, Range>>;
  readonly recent: Recent;
  readonly jump: JumpForecast;
  readonly season: Season;
  /** The smoothed difference from the season; NaN while no season is known. */
  seasonDifference: number;
  /** When a season first was known. */
  seasonSinceMs: number;
  /** Equal samples in a row, and the share of samples that are equal to the one before. */
  still: number;
  stillShare: number;
  /** Samples since the last alert, and how far that stood out. */
  sinceAlert: number;
  alertExcess: number;
}

export interface DetectorOptions {
  /** How often samples are due; absent: learned. */
  readonly expectedIntervalMs?: number | undefined;
}

/** The state of a series that was never seen. */
export function createDetectorState(options: DetectorOptions = {}, parameters: DetectorParameters = detectorParameters): DetectorState {
  return {
    expectedIntervalMs: options.expectedIntervalMs ?? Number.NaN,
    lastMs: Number.NaN,
    intervalMs: 0,
    longestMs: 0,
    intervals: 0,
    ranges: { value: createRange(), jump: createRange(), season: createRange(), level: createRange(), motion: createRange() },
    recent: createRecent(parameters.windowSamples),
    jump: createJumpForecast(),
    season: createSeason(),
    seasonDifference: Number.NaN,
    seasonSinceMs: Number.NaN,
    still: 0,
    stillShare: 0,
    sinceAlert: Number.POSITIVE_INFINITY,
    alertExcess: 0,
  };
}
