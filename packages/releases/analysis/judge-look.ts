import type { Judgement, MetricJudgement, Verdict } from '#model/judgement.ts';
import { assessCounts, assessMeasurement, countMeasurement, type LimitsOutcome, noCounts } from '#releases/judge/limits.ts';
import { type MeasuredArms, type TestOutcome, testMetric, untested } from '#releases/judge/sequential-test.ts';
import type { Analysis, ComparedMetric, ThresholdMetric } from './analysis.ts';
import { type AnalysisPlan, planAnalysis, plannedMeasurements, testPlanOf } from './analysis-plan.ts';
import type { AnalysisState, ThresholdState } from './analysis-state.ts';
import { describeCounts, describeTest, describeVerdict } from './sentences.ts';

/** What a threshold measured since the look before: NaN where there was no value; `untilMs` is when the last was measured. */
export interface Measurements {
  readonly values: readonly number[];
  readonly untilMs: number | undefined;
}

/** What was measured, by the names of metrics. */
export interface LookSamples {
  readonly arms: Readonly<Record<string, MeasuredArms>>;
  readonly measurements: Readonly<Record<string, Measurements>>;
}

export interface LookResult {
  readonly judgement: Judgement;
  readonly state: AnalysisState;
}

/** Judges one look from what was measured and what the looks before left: the same of the same. */
export function judgeLook(analysis: Analysis, samples: LookSamples, state: AnalysisState, look: number): LookResult {
  return judgePlannedLook(planAnalysis(analysis), samples, state, look);
}

/** `judgeLook` where the plan is not the analysis' own. */
export function judgePlannedLook(plan: AnalysisPlan, samples: LookSamples, state: AnalysisState, look: number): LookResult {
  const tests: Record<string, AnalysisState['tests'][string]> = {};
  const thresholds: Record<string, ThresholdState> = {};
  const judged = plan.analysis.metrics.map((metric) => {
    if (metric.kind === 'threshold') {
      const { judgement, next } = judgeThreshold(plan, metric, { samples, state, look });
      thresholds[metric.name] = next;
      return { metric, judgement };
    }
    const { judgement, next } = judgeTest(plan, metric, { samples, state, look });
    tests[metric.name] = next;
    return { metric, judgement };
  });
  const metrics = judged.map(({ metric, judgement }) => (metric.dryRun ? markDryRun(judgement) : judgement));
  const deciding = judged.filter(({ metric }) => !metric.dryRun).map(({ judgement }) => judgement);
  return { judgement: { ...combine(deciding, look, plan.looks), metrics }, state: { look, tests, thresholds } };
}

interface At {
  readonly samples: LookSamples;
  readonly state: AnalysisState;
  readonly look: number;
}

function markDryRun(judgement: MetricJudgement): MetricJudgement {
  return { ...judgement, sentence: `Dry run, which decides nothing: ${judgement.sentence}` };
}

/** One failure fails, one that cannot tell holds all up, and all have to pass. */
function combine(deciding: readonly MetricJudgement[], look: number, looks: number | undefined): Omit<Judgement, 'metrics'> {
  const order: readonly Verdict[] = ['fail', 'inconclusive', 'continue', 'pass'];
  const verdict = order.find((one) => deciding.some((judgement) => judgement.verdict === one)) ?? 'inconclusive';
  const names = deciding.filter((judgement) => judgement.verdict === verdict).map(({ name, reason }) => `${name} (${reason})`);
  return { verdict, sentence: describeVerdict(verdict, names, { look, looks }), look, looks };
}

const noArms: MeasuredArms = { canary: { values: new Float64Array() }, baselines: [] };

function judgeTest(plan: AnalysisPlan, metric: ComparedMetric, { samples, state, look }: At) {
  const test = testPlanOf(plan, metric);
  const outcome = testMetric(test, samples.arms[metric.name] ?? noArms, state.tests[metric.name] ?? untested, look);
  const { verdict, reason } = outcome;
  const numbers = onlyFinite({ ...numbersOf(outcome), alpha: test.alpha, planned: plan.looks === undefined ? undefined : plan.steps });
  return { judgement: { name: metric.name, verdict, reason, sentence: describeTest(test, outcome), numbers }, next: outcome.state };
}

function numbersOf({ contrast, boundary, statistic, alphaSpent, samples, dropped }: TestOutcome): Record<string, number | undefined> {
  if (!contrast) return { samples, dropped };
  const { estimate, standardError, canary, baseline, effectiveSamples, dof } = contrast;
  const reach = (boundary ?? Number.NaN) * standardError;
  const interval = { estimate, lower: estimate - reach, upper: estimate + reach };
  return { samples, dropped, canary, baseline, ...interval, standardError, dof, effectiveSamples, statistic, boundary, alphaSpent };
}

function onlyFinite(numbers: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter((entry): entry is [string, number] => Number.isFinite(entry[1])));
}

function judgeThreshold(plan: AnalysisPlan, metric: ThresholdMetric, { samples, state, look }: At) {
  const before = state.thresholds[metric.name] ?? { counts: noCounts };
  const limits = { ...metric, count: metric.count ?? plannedMeasurements(plan) };
  const next = countAll(metric, limits, before, samples.measurements[metric.name]);
  const isLast = plan.looks !== undefined && look >= plan.looks;
  const decision = decideThreshold(next.outcome, isLast, next.counts.count >= plan.analysis.minCoverage * (limits.count ?? 1));
  const numbers = onlyFinite({ ...next.counts, value: next.value, planned: limits.count });
  const sentence = describeCounts(next.counts, next.value, next.outcome);
  return { judgement: { name: metric.name, ...decision, sentence, numbers }, next };
}

/** Nothing is measured any more once the counts have come to something. */
function countAll(
  metric: ThresholdMetric,
  limits: Parameters<typeof assessCounts>[1],
  before: ThresholdState,
  measured: Measurements | undefined,
): ThresholdState {
  let { counts, outcome, value } = before;
  for (const measurement of measured?.values ?? []) {
    if (outcome !== undefined) break;
    counts = countMeasurement(counts, assessMeasurement(metric, measurement));
    outcome = assessCounts(counts, limits);
    if (Number.isFinite(measurement)) value = measurement;
  }
  return { counts, outcome, value, untilMs: measured?.untilMs ?? before.untilMs };
}

function decideThreshold(outcome: LimitsOutcome, isLast: boolean, isEnough: boolean): Pick<MetricJudgement, 'verdict' | 'reason'> {
  if (outcome === 'failed') return { verdict: 'fail', reason: 'limit exceeded' };
  if (outcome === 'inconclusive') return { verdict: 'inconclusive', reason: 'inconclusive measurements' };
  if (outcome === 'error') return { verdict: 'inconclusive', reason: 'no data' };
  if (outcome === 'successful') return { verdict: 'pass', reason: 'within limits' };
  if (!isLast) return { verdict: 'continue', reason: 'not decided yet' };
  return isEnough ? { verdict: 'pass', reason: 'within limits' } : { verdict: 'inconclusive', reason: 'too little data' };
}
