import { parseDuration } from '#core/duration.ts';
import type { Layout } from '#releases/judge/contrast.ts';
import type { Comparison } from '#releases/judge/scores.ts';
import type { TestPlan } from '#releases/judge/sequential-test.ts';
import { type Analysis, type ComparedMetric, MAX_STEPS } from './analysis.ts';

/** The times of an analysis, and what its metrics share. */
export interface AnalysisPlan {
  readonly analysis: Analysis;
  readonly intervalMs: number;
  readonly stepMs: number;
  readonly warmupMs: number;
  /** Planned looks; undefined: as many as are asked for. */
  readonly looks: number | undefined;
  /** Steps of the canary at the last look; without planned looks those at which it is to be sharpest. */
  readonly steps: number;
  /** The chance of a false alarm that each deciding metric has. */
  readonly metricAlpha: number;
}

/** What an analysis comes to. With `windowMs` it is one look at a window of that length, whatever looks it has. */
export function planAnalysis(analysis: Analysis, windowMs?: number): AnalysisPlan {
  const intervalMs = parseDuration(analysis.interval) as number;
  const stepMs = parseDuration(analysis.step ?? analysis.interval) as number;
  const warmupMs = windowMs === undefined ? (parseDuration(analysis.warmup) as number) : 0;
  const looks = windowMs === undefined ? analysis.looks : 1;
  const plannedMs = windowMs ?? (looks === undefined ? (parseDuration(analysis.tunedFor) as number) : looks * intervalMs - warmupMs);
  const deciding = analysis.metrics.filter(({ kind, dryRun }) => kind !== 'threshold' && !dryRun).length;
  return {
    analysis,
    intervalMs,
    stepMs,
    warmupMs,
    looks,
    steps: Math.min(MAX_STEPS, Math.max(1, Math.floor(plannedMs / stepMs))),
    metricAlpha: analysis.correction === 'none' ? analysis.alpha : analysis.alpha / Math.max(1, deciding),
  };
}

/** How one metric is tested. A metric that decides nothing is tested as if it were the only one beside the others. */
export function testPlanOf(plan: AnalysisPlan, metric: ComparedMetric): TestPlan {
  const { analysis } = plan;
  const looks =
    plan.looks === undefined
      ? ({ kind: 'anytime', tunedFor: plan.steps, mostSamples: MAX_STEPS } as const)
      : ({ kind: 'planned', looks: plan.looks, samples: plan.steps, spending: analysis.spending } as const);
  return {
    comparison: comparisonOf(metric),
    layout: layoutOf(metric),
    missing: metric.missing,
    goal: metric.goal ?? (metric.margin ? 'non-inferiority' : 'deterioration'),
    direction: metric.direction,
    margin: { relative: metric.margin?.relative ?? 0, absolute: metric.margin?.absolute ?? 0 },
    alpha: plan.metricAlpha,
    passAlpha: analysis.alpha,
    minSamples: analysis.minSamples,
    minCoverage: analysis.minCoverage,
    consecutiveErrorLimit: analysis.consecutiveErrorLimit,
    looks,
  };
}

function comparisonOf(metric: ComparedMetric): Comparison {
  if (metric.kind === 'quantile') return { kind: 'quantile', quantile: metric.quantile };
  return { kind: metric.kind === 'rate' ? 'mean' : metric.kind };
}

function layoutOf({ baseline }: ComparedMetric): Layout {
  if (baseline === 'previous') return 'apart';
  return baseline === 'history' ? 'weeks' : 'concurrent';
}

/** How many measurements of a threshold the looks have room for; undefined where looks are not planned. */
export function plannedMeasurements({ looks, intervalMs, warmupMs, steps, stepMs }: AnalysisPlan): number | undefined {
  if (looks === undefined) return undefined;
  const wholeMs = looks === 1 ? steps * stepMs : looks * intervalMs - warmupMs;
  return Math.max(1, Math.floor(wholeMs / intervalMs));
}
