import { isOpsError } from '#core/errors.ts';
import type { CanaryAnalysis } from './canary-config.ts';
import { type MannWhitneyResult, mannWhitney } from './mann-whitney.ts';
import { gaussian } from './normal.ts';
import { commonLanguageEffect, meanOf, meanRatio } from './statistics.ts';

/** `Nodata`: nothing to compare. `NodataFailMetric`: the same, where data is required. `Error`: too little to compare. */
export type Classification = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

/** How one metric came out. */
export interface MetricClassification {
  readonly classification: Classification;
  /** In words; left out for a metric that simply passes. */
  readonly reason?: string | undefined;
  /** Mean of the experiment over mean of the control; 1 where nothing was compared, NaN where a mean is 0. */
  readonly ratio: number;
  /** Whether this alone fails the canary. */
  readonly critical: boolean;
  /** The effect in the measure that was asked for; NaN where it cannot be told. Left out where nothing was compared. */
  readonly effectSize?: number | undefined;
  readonly test?: MannWhitneyResult | undefined;
}

/** The values of a metric once they are cleaned. */
export interface Arms {
  readonly control: Float64Array;
  readonly experiment: Float64Array;
}

export interface ClassifyOptions {
  /** Uniform in [0, 1): noise for arms that do not vary. */
  readonly random: () => number;
  /** Of the interval; 0.98 in Kayenta's judge. */
  readonly confidence: number;
  /** Share of the estimated shift by which the interval has to clear 0; 0.25 in Kayenta's judge. */
  readonly tolerance: number;
}

/** Noise on an arm that does not vary, as a share of its value. */
const NOISE = 1e-5;

type Rules = Pick<CanaryAnalysis, 'direction' | 'nanStrategy' | 'critical' | 'mustHaveData' | 'effectSize'>;

/**
 * Kayenta's judgement of one metric. High where the interval of the shift (experiment against control) begins past tolerance * |estimate|
 * and the effect is at least what is allowed, Low the other way round; an effect that cannot be told hinders neither.
 */
export function classifyByShift(name: string, arms: Arms, rules: Rules, options: ClassifyOptions): MetricClassification {
  const settled = settleWithoutTest(name, arms, rules);
  if (settled) return settled;
  const { control, experiment } = isConstant(arms.control) && isConstant(arms.experiment) ? addNoise(arms, options.random) : arms;
  const ratio = meanRatio(control, experiment);
  const effectSize = rules.effectSize?.measure === 'cles' ? commonLanguageEffect(control, experiment) : ratio;
  try {
    const test = mannWhitney(experiment, control, { confidence: options.confidence });
    return { ...compare(name, test, effectSize, rules, options), ratio, effectSize, test };
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    return { classification: 'Error', reason: `${name} cannot be compared: ${error.message}`, ratio, critical: rules.critical };
  }
}

/** Higher or lower in the mean is all that counts: a plain rule to hold others against. */
export function classifyByMean(name: string, arms: Arms, rules: Rules): MetricClassification {
  if (arms.control.length === 0 || arms.experiment.length === 0) return withoutData(name, rules);
  const [ofControl, ofExperiment] = [meanOf(arms.control), meanOf(arms.experiment)];
  const isHigh = rules.direction !== 'decrease' && ofExperiment > ofControl;
  const isLow = rules.direction !== 'increase' && ofExperiment < ofControl;
  if (!isHigh && !isLow) return { classification: 'Pass', ratio: 1, critical: false };
  const reason = `the mean of ${name} is ${ofExperiment} on the canary and ${ofControl} on the baseline`;
  return { classification: isHigh ? 'High' : 'Low', reason, ratio: ofExperiment / ofControl, critical: rules.critical };
}

/** What can be said before anything is ranked. */
function settleWithoutTest(name: string, { control, experiment }: Arms, rules: Rules): MetricClassification | undefined {
  if (control.length === 0 || experiment.length === 0) return withoutData(name, rules);
  const [a, b] = [control.slice().sort(), experiment.slice().sort()];
  if (a.length === b.length && a.every((value, i) => value === b[i])) {
    return { classification: 'Pass', reason: `${name} has the same values on canary and baseline`, ratio: 1, critical: false };
  }
  const isOneValue = a[0] === b[0] && isConstant(a) && isConstant(b);
  return isOneValue ? { classification: 'Pass', ratio: 1, critical: false } : undefined;
}

function withoutData(name: string, { nanStrategy, mustHaveData, critical }: Rules): MetricClassification {
  if (nanStrategy === 'replace') return { classification: 'Pass', ratio: 1, critical: false };
  const reason = `there is no data of ${name}`;
  if (mustHaveData && !critical) return { classification: 'NodataFailMetric', reason, ratio: 1, critical: false };
  return { classification: 'Nodata', reason, ratio: 1, critical };
}

function compare(
  name: string,
  { lower, upper, estimate }: MannWhitneyResult,
  effect: number,
  { direction, critical, effectSize: limits }: Rules,
  { tolerance }: ClassifyOptions,
): Pick<MetricClassification, 'classification' | 'reason' | 'critical'> {
  const neutral = limits?.measure === 'cles' ? 0.5 : 1;
  const least = tolerance * Math.abs(estimate);
  const atLeast = (limit = neutral) => Number.isNaN(effect) || effect >= limit;
  const atMost = (limit = neutral) => Number.isNaN(effect) || effect <= limit;
  const shown = `the canary is off by ${digits(estimate)} (${digits(lower)} to ${digits(upper)}), effect ${digits(effect)}`;
  if (direction !== 'decrease' && lower > least && atLeast(limits?.allowedIncrease)) {
    const isCritical = critical && atLeast(limits?.criticalIncrease);
    return { classification: 'High', reason: reasonFor(name, 'High', isCritical, shown), critical: isCritical };
  }
  if (direction !== 'increase' && upper < -least && atMost(limits?.allowedDecrease)) {
    const isCritical = critical && atMost(limits?.criticalDecrease);
    return { classification: 'Low', reason: reasonFor(name, 'Low', isCritical, shown), critical: isCritical };
  }
  return { classification: 'Pass', critical: false };
}

function reasonFor(name: string, classification: Classification, isCritical: boolean, shown: string): string {
  return `${name} is ${classification}${isCritical ? ' and critical' : ''}: ${shown}`;
}

function digits(value: number): string {
  return Number.isNaN(value) ? 'unknown' : String(Number(value.toPrecision(4)));
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

/** Ranks cannot tell how far two constants are apart; with noise far below their size they can. */
function addNoise({ control, experiment }: Arms, random: () => number): Arms {
  const noisy = (values: Float64Array) => values.map((value) => value + NOISE * Math.abs(value) * gaussian(random));
  return { experiment: noisy(experiment), control: noisy(control) };
}
