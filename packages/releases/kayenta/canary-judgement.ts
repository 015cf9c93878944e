import type { Judgement, MetricJudgement, Verdict } from '#model/judgement.ts';
import type { Classification } from './classify-metric.ts';
import type { CanaryJudgeResult, CanaryMetricResult } from './judge-canary.ts';
import { isCriticalFailure, isMostlyWithoutData } from './score-groups.ts';

/** Which look it is, and how many there are, where that is known. */
export interface JudgedLook {
  readonly look: number;
  readonly looks?: number | undefined;
}

const VERDICTS: Readonly<Record<Classification, Verdict>> = {
  Pass: 'pass',
  High: 'fail',
  Low: 'fail',
  NodataFailMetric: 'fail',
  Nodata: 'inconclusive',
  Error: 'inconclusive',
};

/**
 * What Kayenta's result is as a judgement of ours. A pass is one at the last look; before it, and for a marginal score, the canary goes on, as
 * Spinnaker has it between its intervals; a marginal score at the last look is inconclusive, and so are too many metrics without data, or none
 * that counts.
 */
export function canaryJudgement(result: CanaryJudgeResult, { look, looks }: JudgedLook): Judgement {
  const verdict = verdictOf(result, looks === undefined || look >= looks);
  const { score, classification, classificationReason } = result.score;
  const decisive = result.results.find((metric) => !metric.muted && VERDICTS[metric.classification] === 'fail');
  const why = classificationReason || decisive?.classificationReason;
  const sentence = `the score is ${score} of 100, ${classification}${why ? `: ${why}` : ''}`;
  return { verdict, sentence, look, looks, metrics: result.results.map(metricJudgement) };
}

function verdictOf({ results, score: { classification } }: CanaryJudgeResult, isLast: boolean): Verdict {
  const counted = results.filter(({ muted }) => !muted);
  if (counted.length === 0 || (!counted.some(isCriticalFailure) && isMostlyWithoutData(counted))) return 'inconclusive';
  if (classification === 'Fail') return 'fail';
  if (!isLast) return 'continue';
  return classification === 'Pass' ? 'pass' : 'inconclusive';
}

function metricJudgement({ name, classification, classificationReason, ...rest }: CanaryMetricResult): MetricJudgement {
  const { experimentMetadata, controlMetadata, resultMetadata } = rest;
  const [canary, baseline] = [experimentMetadata.stats, controlMetadata.stats];
  const known = {
    ...resultMetadata,
    canary: canary.mean,
    canarySamples: canary.count,
    baseline: baseline.mean,
    baselineSamples: baseline.count,
  };
  return {
    name,
    verdict: VERDICTS[classification],
    reason: classification,
    sentence: classificationReason ?? `${name} is as on the baseline: ${canary.mean} and ${baseline.mean} in the mean`,
    numbers: Object.fromEntries(Object.entries(known).filter(([, value]) => Number.isFinite(value))),
  };
}
