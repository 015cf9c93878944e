import type { DetectorParameters } from './parameters.ts';
import type { DetectorState } from './state.ts';

/** Missing intervals that are too many: where the interval is told, and where it is learned. */
const TOLD = 3;
const LEARNED = 5;
/** Nothing is said of a learned interval before so many. */
const ENOUGH = 10;

/**
 * Since when samples have been missing at a time, or undefined if there may still be one: after 3 intervals that the caller
 * expects; without that after 5 of the mean and twice the longest that was seen.
 */
export function missingSince(state: DetectorState, nowMs: number): number | undefined {
  return missingExcess(state, nowMs) >= 1 ? state.lastMs + usualInterval(state) : undefined;
}

/** The time without a sample, as a multiple of what is allowed; 0 while nothing is known. */
export function missingExcess(state: DetectorState, nowMs: number): number {
  const told = state.expectedIntervalMs > 0;
  if (Number.isNaN(state.lastMs) || !(told || state.intervals >= ENOUGH)) return 0;
  const allowedMs = told ? TOLD * state.expectedIntervalMs : Math.max(LEARNED * state.intervalMs, 2 * state.longestMs);
  return Math.max(0, nowMs - state.lastMs) / allowedMs;
}

function usualInterval({ expectedIntervalMs, intervalMs }: DetectorState): number {
  return expectedIntervalMs > 0 ? expectedIntervalMs : intervalMs;
}

/** Takes the time of a sample in. An outage counts as at most `growth` more of the longest interval. */
export function learnInterval(state: DetectorState, tsMs: number, { memorySamples, growth }: DetectorParameters): void {
  const gapMs = tsMs - state.lastMs;
  state.lastMs = tsMs;
  if (!(gapMs > 0)) return;
  state.intervals++;
  if (state.intervals === 1) state.intervalMs = state.longestMs = gapMs;
  const taken = Math.min(gapMs, (1 + growth) * state.longestMs);
  state.intervalMs += (taken - state.intervalMs) / Math.min(state.intervals, memorySamples);
  const faded = state.longestMs - (Math.LN2 / memorySamples) * (state.longestMs - state.intervalMs);
  state.longestMs = Math.max(taken, faded);
}
