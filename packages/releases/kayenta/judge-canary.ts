import { OpsError } from '#core/errors.ts';
import type { CanaryConfig, CanaryMetric, ScoreThresholds } from './canary-config.ts';
import { type Classification, classifyByMean, classifyByShift, type MetricClassification } from './classify-metric.ts';
import { handleMissing, outsideFences, removeOutliers } from './clean-values.ts';
import { classifyScore, type ScoredMetric, scoreGroups } from './score-groups.ts';
import { cohenD, type MetricStatistics, summarize } from './statistics.ts';

/** What was measured of one metric; NaN (or an infinity) where there is no value at a time. */
export interface MetricSetPair {
  /** As the configuration has it; several pairs may be of one metric, with tags of their own. */
  readonly name: string;
  readonly id?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly values: { readonly control: ArrayLike<number>; readonly experiment: ArrayLike<number> };
}

export interface JudgeOptions {
  /** Uniform in [0, 1): noise for metrics that vary on neither side. The same values give the same judgement. */
  readonly random: () => number;
  /** In the place of the configuration's; one of the two has to be there. */
  readonly scoreThresholds?: ScoreThresholds | undefined;
  /** `mann-whitney`, or `mean-inequality`, which is for comparison. */
  readonly classifier?: 'mann-whitney' | 'mean-inequality' | undefined;
  /** Of the interval; 0.98 where it is left out. */
  readonly confidence?: number | undefined;
  /** Share of the shift that the interval has to clear 0 by; 0.25 where it is left out. */
  readonly tolerance?: number | undefined;
}

/** How one metric came out; Kayenta's CanaryAnalysisResult. */
export interface CanaryMetricResult extends ScoredMetric {
  readonly name: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly classification: Classification;
  readonly muted: boolean;
  readonly experimentMetadata: { readonly stats: MetricStatistics };
  readonly controlMetadata: { readonly stats: MetricStatistics };
  /** `ratio` of the means (NaN, in JSON null, where one is 0), and where a test was made: statistic, pValue, estimate, lower, upper, effectSize, cohenD. */
  readonly resultMetadata: Readonly<Record<string, number>>;
}

/** Kayenta's CanaryJudgeResult. */
export interface CanaryJudgeResult {
  readonly judgeName: string;
  readonly results: readonly CanaryMetricResult[];
  readonly groupScores: readonly {
    readonly name: string;
    readonly score: number;
    readonly classification: string;
    readonly classificationReason: string;
  }[];
  readonly score: {
    readonly score: number;
    readonly classification: 'Pass' | 'Marginal' | 'Fail';
    readonly classificationReason: string;
  };
}

/** The name that configurations call the judge by whose results these are. */
const JUDGE_NAME = 'NetflixACAJudge-v1.0';

/**
 * Judges a canary as Kayenta does: each metric by the shift between canary (experiment) and baseline (control), then the weighted sum over
 * groups. A pure function of what it is given. It is one look at one span of time: asked again and again it gives more false alarms than
 * once. Beyond Kayenta, a metric of the configuration that nothing was measured of counts as one without data, an infinity counts as NaN,
 * and a metric that cannot be compared (one value on each side) counts as one without data too, so that neither passes unseen. `input` for a
 * pair that the configuration does not have, and where no thresholds are given.
 */
export function judgeCanary(config: CanaryConfig, metrics: readonly MetricSetPair[], options: JudgeOptions): CanaryJudgeResult {
  const thresholds = options.scoreThresholds ?? config.classifier.scoreThresholds;
  if (!thresholds) throw new OpsError('input', 'classifier.scoreThresholds is missing: pass and marginal, from 0 to 100');
  const results = pairUp(config.metrics, metrics).map(({ metric, pair }) => judgeMetric(metric, pair, options));
  const { score, reason, groups } = scoreGroups(
    results.filter(({ muted }) => !muted),
    config.classifier.groupWeights,
  );
  return {
    judgeName: JUDGE_NAME,
    results,
    groupScores: groups.map(({ name, score: ofGroup }) => ({ name, score: ofGroup, classification: '', classificationReason: '' })),
    score: { score, classification: classifyScore(score, thresholds), classificationReason: reason },
  };
}

interface PairedMetric {
  readonly metric: CanaryMetric;
  readonly pair: MetricSetPair;
}

/** Each pair with its metric, in the order of the pairs; then the metrics that there is no pair of. */
function pairUp(metrics: readonly CanaryMetric[], pairs: readonly MetricSetPair[]): PairedMetric[] {
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  const paired = pairs.map((pair) => {
    const metric = byName.get(pair.name);
    if (!metric) throw new OpsError('input', `the canary configuration has no metric ${JSON.stringify(pair.name.slice(0, 100))}`);
    return { metric, pair };
  });
  const measured = new Set(pairs.map(({ name }) => name));
  const absent = metrics.filter(({ name }) => !measured.has(name));
  return [...paired, ...absent.map((metric) => ({ metric, pair: { name: metric.name, values: { control: [], experiment: [] } } }))];
}

function judgeMetric(metric: CanaryMetric, pair: MetricSetPair, options: JudgeOptions): CanaryMetricResult {
  const { name, groups } = metric;
  const rules = metric.analysisConfigurations.canary;
  const clean = (values: ArrayLike<number>) => cleanValues(values, rules);
  const arms = { control: clean(pair.values.control), experiment: clean(pair.values.experiment) };
  const { random, confidence = 0.98, tolerance = 0.25 } = options;
  const classified =
    options.classifier === 'mean-inequality'
      ? classifyByMean(name, arms, rules)
      : classifyByShift(name, arms, rules, { random, confidence, tolerance });
  return {
    name,
    id: pair.id ?? name,
    tags: pair.tags ?? {},
    classification: classified.classification,
    classificationReason: classified.reason,
    groups,
    critical: classified.critical,
    muted: rules.muted,
    experimentMetadata: { stats: summarize(arms.experiment) },
    controlMetadata: { stats: summarize(arms.control) },
    resultMetadata: numbersOf(classified, cohenD(arms.control, arms.experiment)),
  };
}

function cleanValues(values: ArrayLike<number>, { nanStrategy, outliers }: CanaryMetric['analysisConfigurations']['canary']): Float64Array {
  const known = handleMissing(values, nanStrategy);
  if (outliers?.strategy !== 'remove') return known;
  return removeOutliers(known, outsideFences(known, outliers.outlierFactor, true));
}

function numbersOf({ ratio, effectSize, test }: MetricClassification, d: number): Readonly<Record<string, number>> {
  return test ? { ratio, ...test, effectSize: effectSize ?? Number.NaN, cohenD: d } : { ratio };
}
