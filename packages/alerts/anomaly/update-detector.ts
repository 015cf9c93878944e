import { bandOf, weighExcesses } from './judge.ts';
import { learnInterval, missingExcess, missingSince } from './missing.ts';
import { learnObservation, observe } from './observe.ts';
import { type DetectorParameters, detectorParameters } from './parameters.ts';
import { countExcesses, findReasons, infiniteReason, missingReason, type Reason, type ReasonCode } from './reasons.ts';
import type { DetectorState } from './state.ts';

/** What the detector says of one sample. */
export interface Verdict {
  /** The chance that an ordinary new record of this series would stand out less; 0 while muted. An alert from `alertScore` on. */
  readonly score: number;
  /** As `score`, also while muted. */
  readonly rawScore: number;
  /** The expected band: outside of it a sample is an alert, if not muted. NaN while not known. */
  readonly low: number;
  readonly high: number;
  /** Why, strongest first, also while muted; empty below `alertScore`. */
  readonly reasons: readonly Reason[];
}

/** The score of what stands out just as much as a new record does on average. */
export const alertScore = 1 - Math.exp(-1);

/** What is an alert, where that is not every sample from `alertScore` on. */
export interface AlertOptions {
  /** The least score; what lies below mutes nothing. */
  readonly score?: number | undefined;
  /** Reasons that count: scores are of these alone. Absent: all. */
  readonly reasons?: ReadonlySet<ReasonCode> | undefined;
}

const DAY_MS = 86_400_000;
/** What infinity stands out: as far as a finite value can within a long memory. */
const MOST_EXCESS = 100;
/** Larger values count as this, so that no sum overflows. */
const LARGEST = 1e300;
const NOTHING: Verdict = { score: 0, rawScore: 0, low: Number.NaN, high: Number.NaN, reasons: [] };

/**
 * Judges a sample by what came before it, then learns it. NaN (a stale marker too) is a sample that is missing: nothing is learned,
 * and it is told when samples have been missing for too long. Infinities are told as extremes and not learned. A sample that is
 * not later than the last one is left out, so that one may come twice; if it is more than a day earlier, the clock was set back
 * and it counts.
 */
export function updateDetector(
  state: DetectorState,
  tsMs: number,
  value: number,
  parameters: DetectorParameters = detectorParameters,
  alert: AlertOptions = {},
): Verdict {
  if (Number.isNaN(value)) return judgeMissing(state, tsMs);
  if (tsMs <= state.lastMs && tsMs > state.lastMs - DAY_MS) return NOTHING;
  if (!Number.isFinite(value)) return judgeInfinite(state, tsMs, value, parameters, alert);
  const seen = observe(state, tsMs, Math.max(-LARGEST, Math.min(LARGEST, value)), parameters);
  const weighed = weighExcesses(state, seen, parameters);
  const excesses = alert.reasons ? countExcesses(weighed, alert.reasons) : weighed;
  const excess = Math.max(excesses.value, excesses.jump, excesses.season, excesses.level, excesses.motion, excesses.flat);
  const rawScore = toScore(excess);
  const verdict = {
    score: muteAfterAlert(state, excess, leastExcess(alert), parameters) ? 0 : rawScore,
    rawScore,
    ...bandOf(state, seen, parameters),
    reasons: excess < 1 ? [] : findReasons(state, seen, excesses, parameters),
  };
  learnObservation(state, seen, parameters);
  learnInterval(state, tsMs, parameters);
  return verdict;
}

function judgeInfinite(state: DetectorState, tsMs: number, value: number, parameters: DetectorParameters, alert: AlertOptions): Verdict {
  learnInterval(state, tsMs, parameters);
  if (state.ranges.value.count < parameters.warmupSamples || alert.reasons?.has('new-extreme') === false) return NOTHING;
  const excess = MOST_EXCESS;
  const score = muteAfterAlert(state, excess, leastExcess(alert), parameters) ? 0 : toScore(excess);
  return { ...NOTHING, score, rawScore: toScore(excess), reasons: [infiniteReason(value, state.ranges.value)] };
}

/** Excesses of ordinary records are exponentially distributed with mean 1. */
function toScore(excess: number): number {
  return -Math.expm1(-excess);
}

/** The excess of the least score that is an alert. */
function leastExcess({ score = alertScore }: AlertOptions): number {
  return Math.max(1, -Math.log1p(-score));
}

/** Whether an excess is muted. Counts the samples since the last alert; one that is an alert starts the count anew. */
function muteAfterAlert(state: DetectorState, excess: number, least: number, { quietSamples, louder }: DetectorParameters): boolean {
  const muted = state.sinceAlert < quietSamples && excess <= louder * state.alertExcess;
  if (excess >= least && !muted) Object.assign(state, { sinceAlert: 0, alertExcess: excess });
  else state.sinceAlert++;
  return muted;
}

function judgeMissing(state: DetectorState, tsMs: number): Verdict {
  const sinceMs = missingSince(state, tsMs);
  if (sinceMs === undefined) return NOTHING;
  const score = toScore(missingExcess(state, tsMs));
  return { ...NOTHING, score, rawScore: score, reasons: [missingReason(sinceMs)] };
}
