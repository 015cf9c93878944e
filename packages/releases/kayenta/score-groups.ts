import type { ScoreThresholds } from './canary-config.ts';
import type { Classification } from './classify-metric.ts';

/** A metric as far as the score goes. */
export interface ScoredMetric {
  readonly classification: Classification;
  readonly classificationReason?: string | undefined;
  readonly groups: readonly string[];
  readonly critical: boolean;
}

/** One group: the share of its metrics that pass, in percent. */
export interface GroupScore {
  readonly name: string;
  readonly score: number;
  /** No metric of it could be judged; it counts as 100 in the sum. */
  readonly isEmpty: boolean;
}

export interface Score {
  /** 0 to 100, to two decimals. */
  readonly score: number;
  /** Why the score is 0 whatever the groups say; empty otherwise. */
  readonly reason: string;
  readonly groups: readonly GroupScore[];
}

/** Where this share of the metrics has no data, or more, nothing can be said of the canary. */
const MOST_WITHOUT_DATA = 0.5;

/**
 * Kayenta's weighted sum. A group's score is pass / (pass + high + low + required data that is missing); groups without a weight share
 * equally what is left of 100. A critical metric that does not pass makes it 0, and so does half of the metrics without anything to judge.
 */
export function scoreGroups(metrics: readonly ScoredMetric[], groupWeights: Readonly<Record<string, number>>): Score {
  const names = [...new Set(metrics.flatMap(({ groups }) => groups))];
  const groups = names.map((name) =>
    scoreGroup(
      name,
      metrics.filter((metric) => metric.groups.includes(name)),
    ),
  );
  const reason = reasonForNone(metrics);
  return { score: reason === '' ? roundHalfUp(sumGroups(groups, groupWeights)) : 0, reason, groups };
}

/** How a score is called. */
export function classifyScore(score: number, { pass, marginal }: ScoreThresholds): 'Pass' | 'Marginal' | 'Fail' {
  if (score >= pass) return 'Pass';
  return score >= marginal ? 'Marginal' : 'Fail';
}

function scoreGroup(name: string, metrics: readonly ScoredMetric[]): GroupScore {
  const counted = metrics.filter((metric) => !isWithoutData(metric));
  const passed = counted.filter(({ classification }) => classification === 'Pass').length;
  return counted.length === 0 ? { name, score: 0, isEmpty: true } : { name, score: (passed / counted.length) * 100, isEmpty: false };
}

function reasonForNone(metrics: readonly ScoredMetric[]): string {
  const failure = metrics.find(isCriticalFailure);
  if (failure) return `a critical metric did not pass: ${failure.classificationReason ?? failure.classification}`;
  if (!isMostlyWithoutData(metrics)) return '';
  return `${metrics.filter(isWithoutData).length} of ${metrics.length} metrics have no data that can be judged; half is too many`;
}

/** Whether a metric alone fails the canary. */
export function isCriticalFailure({ critical, classification }: ScoredMetric): boolean {
  return critical && classification !== 'Pass';
}

/** Whether so many metrics could not be judged that nothing can be said of the canary. */
export function isMostlyWithoutData(metrics: readonly ScoredMetric[]): boolean {
  return metrics.length > 0 && metrics.filter(isWithoutData).length >= MOST_WITHOUT_DATA * metrics.length;
}

function isWithoutData({ classification }: ScoredMetric): boolean {
  return classification === 'Nodata' || classification === 'Error';
}

function sumGroups(groups: readonly GroupScore[], weights: Readonly<Record<string, number>>): number {
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const unlisted = groups.filter(({ name }) => !Object.hasOwn(weights, name)).length;
  const shared = unlisted === 0 ? 0 : Math.max(0, 100 - given) / unlisted;
  return groups.reduce((sum, { name, score, isEmpty }) => {
    const weight = Object.hasOwn(weights, name) ? weights[name] : shared;
    return sum + (isEmpty ? 100 : score) * (weight / 100);
  }, 0);
}

/** To two decimals of what the number prints as, halves up: 66.665 is 66.67, although its nearest double is below. */
function roundHalfUp(score: number): number {
  return score < 1e-3 ? 0 : Math.round(Number(`${score}e2`)) / 100;
}
