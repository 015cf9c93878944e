import type { Verdict } from '#model/judgement.ts';
import { type Aligned, type AlignInput, alignArms } from './align.ts';
import type { Spending } from './boundary.ts';
import { anytimeBoundary } from './confidence-sequence.ts';
import { type Contrast, contrastArms, type Layout } from './contrast.ts';
import { normalTail } from './normal.ts';
import { type LookState, noLooks, takePlannedLook } from './planned-looks.ts';
import type { Arm, Comparison } from './scores.ts';
import { studentEquivalent, studentTail } from './student.ts';

/** Which way is worse. */
export type Direction = 'increase' | 'decrease' | 'either';

/** What has to be shown: that it is worse (else it passes in the end), that it is not worse by more than a margin, that it is better. */
export type Goal = 'deterioration' | 'non-inferiority' | 'superiority';

/** How one metric of a canary is tested. */
export interface TestPlan {
  readonly comparison: Comparison;
  readonly layout: Layout;
  readonly missing: AlignInput['missing'];
  readonly goal: Goal;
  readonly direction: Direction;
  /** Of the baseline's level, and in the metric's own unit; both 0 for none. */
  readonly margin: { readonly relative: number; readonly absolute: number };
  /** The chance of a false alarm, over all looks; of both sides together where the direction is either. */
  readonly alpha: number;
  /** The chance, over all looks, of passing what is just at the margin. */
  readonly passAlpha: number;
  /** Fewer than these are not judged. */
  readonly minSamples: number;
  /** A pass at the end needs this share of the planned samples. */
  readonly minCoverage: number;
  /** More looks in a row than this without a new sample end it. */
  readonly consecutiveErrorLimit: number;
  readonly looks: PlannedLooks | AnytimeLooks;
}

export interface PlannedLooks {
  readonly kind: 'planned';
  readonly looks: number;
  /** Of the canary, at the end. */
  readonly samples: number;
  readonly spending: Spending;
}

export interface AnytimeLooks {
  readonly kind: 'anytime';
  /** The number of samples at which it is to be sharpest. */
  readonly tunedFor: number;
  /** Looking ends, undecided, with these. */
  readonly mostSamples: number;
}

/** What is kept from look to look: no samples, which are asked for anew. */
export interface TestState {
  readonly fail: LookState;
  readonly pass: LookState;
  /** Samples compared at the last look. */
  readonly samples: number;
  /** Looks in a row without a new one. */
  readonly missing: number;
  /** The looks at which it was shown to be worse, and to be good enough. */
  readonly failed?: number | undefined;
  readonly passed?: number | undefined;
}

export const untested: TestState = { fail: noLooks, pass: noLooks, samples: 0, missing: 0 };

export type Reason =
  | 'boundary crossed'
  | 'within margin'
  | 'better'
  | 'no sign of harm'
  | 'not shown'
  | 'no data'
  | 'too little data'
  | 'not decided yet';

/** What a look found. Boundaries are in the terms of the statistic: Student's t. */
export interface TestOutcome {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly isLast: boolean;
  readonly samples: number;
  readonly dropped: number;
  readonly lacking: Aligned['lacking'];
  readonly contrast: Contrast | undefined;
  /** The difference over its error, against the margin, positive where worse. */
  readonly statistic: number | undefined;
  readonly boundary: number | undefined;
  readonly alphaSpent: number | undefined;
  readonly state: TestState;
}

export interface MeasuredArms {
  readonly canary: AlignInput['canary'];
  readonly baselines: AlignInput['baselines'];
}

/**
 * Judges one metric at one look. Worse: the statistic crosses the boundary of failing, which the looks before have left `alpha` for.
 * Good enough: it crosses that of passing on the other side. At the last planned look what has not failed passes
 * where the goal is only not to be seen to deteriorate, and enough was measured; it is inconclusive where something was to be shown.
 */
export function testMetric(plan: TestPlan, arms: MeasuredArms, state: TestState, look: number): TestOutcome {
  const aligned = alignArms({ ...plan, ...arms });
  const samples = aligned.lacking ? 0 : aligned.canary.values.length;
  const information = informationOf(plan, aligned, samples);
  const isLast = plan.looks.kind === 'planned' ? look >= plan.looks.looks || information >= 1 : samples >= plan.looks.mostSamples;
  const missing = samples > state.samples ? 0 : state.missing + 1;
  const seen: TestState = { ...state, samples: Math.max(samples, state.samples), missing };
  const base = { isLast, samples, dropped: aligned.dropped, lacking: aligned.lacking };
  const nothing = { contrast: undefined, statistic: undefined, boundary: undefined, alphaSpent: undefined };
  if (samples < plan.minSamples || missing > plan.consecutiveErrorLimit)
    return { ...base, ...nothing, state: seen, ...withoutData(plan, { samples, isLast, state: seen }) };
  const tested = takeLook(plan, aligned, seen, { look, samples, information: isLast ? 1 : information });
  if (!tested) return { ...base, ...nothing, state: seen, ...withoutData(plan, { samples, isLast, state: seen }) };
  return { ...base, ...tested, ...decide(plan, { samples, isLast, state: tested.state }) };
}

interface Progress {
  readonly samples: number;
  readonly isLast: boolean;
  readonly state: TestState;
}

type Decision = Pick<TestOutcome, 'verdict' | 'reason'>;

function withoutData(plan: TestPlan, { samples, isLast, state }: Progress): Decision {
  if (state.failed !== undefined) return { verdict: 'fail', reason: 'boundary crossed' };
  const isGone = state.missing > plan.consecutiveErrorLimit;
  return { verdict: isLast || isGone ? 'inconclusive' : 'continue', reason: samples === 0 || isGone ? 'no data' : 'too little data' };
}

function decide(plan: TestPlan, { samples, isLast, state }: Progress): Decision {
  if (state.failed !== undefined) return { verdict: 'fail', reason: 'boundary crossed' };
  if (state.passed !== undefined) return { verdict: 'pass', reason: plan.goal === 'superiority' ? 'better' : 'within margin' };
  if (!isLast) return { verdict: 'continue', reason: 'not decided yet' };
  if (plan.looks.kind === 'anytime') return { verdict: 'inconclusive', reason: 'not shown' };
  if (samples < plan.minCoverage * plan.looks.samples) return { verdict: 'inconclusive', reason: 'too little data' };
  return plan.goal === 'deterioration' ? { verdict: 'pass', reason: 'no sign of harm' } : { verdict: 'inconclusive', reason: 'not shown' };
}

/** The share of planned information: of the samples, and for arms of different times of what the difference of their means knows. */
function informationOf({ layout, looks }: TestPlan, { baselines }: Aligned, samples: number): number {
  if (looks.kind === 'anytime' || samples === 0) return 0;
  if (layout !== 'apart') return samples / looks.samples;
  const before = 1 / (baselines[0] as Arm).values.length;
  return (before + 1 / looks.samples) / (before + 1 / samples);
}

interface LookAt {
  readonly look: number;
  readonly samples: number;
  readonly information: number;
}

function takeLook(plan: TestPlan, aligned: Aligned, state: TestState, at: LookAt) {
  const { canary, baselines } = aligned;
  const against = (arms: readonly Arm[]) => contrastArms({ comparison: plan.comparison, layout: plan.layout, canary, baselines: arms });
  const contrast = against(baselines);
  if (!contrast) return undefined;
  const sides = sidesOf(plan.direction).map((sign) => {
    const shifted = hasMargin(plan) ? against(shiftArms(plan, baselines, sign)) : contrast;
    return { statistic: sign * standardise(shifted as Contrast), dof: (shifted as Contrast).dof };
  });
  const fail = boundaryOf(plan, plan.alpha / sides.length, state.fail, at);
  const isWorse = sides.some(({ statistic, dof }) => crosses(statistic, dof, fail.boundary));
  const pass = plan.goal === 'deterioration' ? undefined : boundaryOf(plan, plan.passAlpha, state.pass, at);
  const isGood = pass !== undefined && sides.every(({ statistic, dof }) => crosses(-statistic, dof, pass.boundary));
  const worst = sides.reduce((one, other) => (other.statistic > one.statistic ? other : one));
  return {
    contrast,
    statistic: worst.statistic,
    boundary: studentEquivalent(fail.boundary, worst.dof),
    alphaSpent: fail.alphaSpent && fail.alphaSpent * sides.length,
    state: {
      ...state,
      fail: fail.state,
      pass: pass?.state ?? state.pass,
      failed: state.failed ?? (isWorse ? at.look : undefined),
      passed: state.passed ?? (isGood ? at.look : undefined),
    },
  };
}

/** Student's t is never less wide than the normal distribution, which settles most looks. */
function crosses(statistic: number, dof: number, boundary: number): boolean {
  return statistic >= boundary && studentTail(statistic, dof) <= normalTail(boundary);
}

function sidesOf(direction: Direction): readonly (1 | -1)[] {
  return direction === 'either' ? [1, -1] : [direction === 'increase' ? 1 : -1];
}

function hasMargin({ margin }: TestPlan): boolean {
  return margin.relative !== 0 || margin.absolute !== 0;
}

/** A difference that does not vary at all has as many errors of the mean as there are samples: one sample without difference would give as much. */
function standardise({ estimate, standardError, samples }: Contrast): number {
  return estimate === 0 ? 0 : estimate / Math.max(standardError, Math.abs(estimate) / samples);
}

/** The baseline as it would be at the margin: a test of no difference from that is the test of the margin. */
function shiftArms({ comparison, margin }: TestPlan, arms: readonly Arm[], sign: 1 | -1): readonly Arm[] {
  return arms.map((arm) => {
    const level = arm.values.reduce((sum, value) => sum + value, 0);
    const factor = 1 + sign * (level < 0 ? -margin.relative : margin.relative);
    const add = sign * margin.absolute;
    const unit = (i: number) => (comparison.kind === 'ratio' ? (arm.totals?.[i] as number) : 1);
    return { ...arm, values: arm.values.map((value, i) => factor * value + add * unit(i)) };
  });
}

function boundaryOf({ looks }: TestPlan, alpha: number, state: LookState, { samples, information }: LookAt) {
  if (looks.kind === 'planned') return takePlannedLook({ alpha, spending: looks.spending }, state, information);
  return { boundary: anytimeBoundary(samples, looks.tunedFor, alpha), alphaSpent: undefined, state };
}
