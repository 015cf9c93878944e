import { driftingVariance, type LongRunVariance, longRunVariance, meanOf } from './long-run-variance.ts';
import { type Arm, type Comparison, levelOf, scoreArms } from './scores.ts';

/** How far the canary is from its baseline, and how sure that is. */
export interface Contrast {
  /** Steps of the canary that were compared. */
  readonly samples: number;
  /** Mean of the canary's scores less that of the baseline's. */
  readonly estimate: number;
  readonly standardError: number;
  readonly dof: number;
  /** As many independent samples would say as much. */
  readonly effectiveSamples: number;
  /** What is told of each arm: its mean, ratio, quantile, or median. */
  readonly canary: number;
  readonly baseline: number;
}

/** How the arms lie to each other. */
export type Layout = 'concurrent' | 'apart' | 'weeks';

/** What to compare: one baseline, or for `weeks` one per week, all on the canary's steps. */
export interface ContrastInput {
  readonly comparison: Comparison;
  readonly layout: Layout;
  readonly canary: Arm;
  readonly baselines: readonly Arm[];
}

/**
 * Compares a canary with its baseline, or undefined where too little is held to say how sure it is.
 *
 * Every comparison is a difference of means of scores (see `scoreArms`). Concurrent arms are compared step by step, which
 * takes out what both share. Arms of different times have a variance each, added up as Welch and Satterthwaite do, which allows for drift.
 * Weeks are averaged and compared step by step, and the error is at least that by which whole weeks differ from each other.
 */
export function contrastArms({ comparison, layout, canary, baselines }: ContrastInput): Contrast | undefined {
  const scores = scoreArms(comparison, canary, baselines);
  const error = layout === 'apart' ? errorApart(scores.canary, scores.baselines) : errorPaired(scores.canary, scores.baselines);
  if (!error) return undefined;
  return {
    samples: scores.canary.length,
    estimate: meanOf(scores.canary) - meanOf(average(scores.baselines)),
    standardError: error.standardError,
    dof: error.dof,
    effectiveSamples: scores.canary.length * Math.min(1, error.standardError > 0 ? error.plain / error.standardError ** 2 : 1),
    canary: levelOf(comparison, [canary]),
    baseline: levelOf(comparison, baselines),
  };
}

interface StandardError {
  readonly standardError: number;
  readonly dof: number;
  /** The square of the error that independent samples would have. */
  readonly plain: number;
}

function errorPaired(canary: Float64Array, baselines: readonly Float64Array[]): StandardError | undefined {
  const baseline = average(baselines);
  const differences = new Float64Array(canary.length);
  for (let i = 0; i < differences.length; i++) differences[i] = (canary[i] as number) - (baseline[i] as number);
  const within = longRunVariance(differences);
  if (!within) return undefined;
  const plain = plainVariance(differences) / differences.length;
  const steps = { square: within.variance / differences.length, dof: within.dof };
  const weeks = betweenWeeks(baselines);
  const { square, dof } = weeks && weeks.square > steps.square ? weeks : steps;
  return { standardError: Math.sqrt(square), dof, plain };
}

/** The error of predicting one more week from those held; nothing where there is one baseline. */
function betweenWeeks(baselines: readonly Float64Array[]): { readonly square: number; readonly dof: number } | undefined {
  if (baselines.length < 2) return undefined;
  const means = Float64Array.from(baselines, meanOf);
  return { square: plainVariance(means) * (1 + 1 / means.length), dof: means.length - 1 };
}

function errorApart(canary: Float64Array, [baseline]: readonly Float64Array[]): StandardError | undefined {
  const parts = [canary, baseline as Float64Array].map((scores) => ({ scores, known: driftingVariance(scores) }));
  const [first, second] = parts.map(({ scores, known }) => known && share(scores, known));
  if (!first || !second) return undefined;
  const square = first.square + second.square;
  const dof =
    square > 0 ? square ** 2 / (first.square ** 2 / first.dof + second.square ** 2 / second.dof) : Math.min(first.dof, second.dof);
  return { standardError: Math.sqrt(square), dof, plain: first.plain + second.plain };
}

function share(scores: Float64Array, { variance, dof }: LongRunVariance) {
  return { square: variance / scores.length, dof, plain: plainVariance(scores) / scores.length };
}

function plainVariance(scores: Float64Array): number {
  const mean = meanOf(scores);
  let sum = 0;
  for (const score of scores) sum += (score - mean) ** 2;
  return sum / (scores.length - 1);
}

function average(series: readonly Float64Array[]): Float64Array {
  const [first, ...others] = series as readonly [Float64Array, ...Float64Array[]];
  if (others.length === 0) return first;
  return first.map((value, i) => others.reduce((sum, other) => sum + (other[i] as number), value) / series.length);
}
