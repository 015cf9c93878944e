import * as z from 'zod';
import { parseDuration } from '#core/duration.ts';
import { strictFields } from '#model/strict-fields.ts';
import { checkTemplate } from './query-template.ts';

/** Most steps of one metric that are looked at. */
export const MAX_STEPS = 20_000;
const MAX_LOOKS = 1_000;
/** So that the state of an analysis stays below 64 KB. */
const MAX_METRICS = 30;
const MAX_QUERY_CHARS = 10_000;

/** Stays text, so that an analysis that was read reads again. */
function duration(least: string, most: string) {
  const inRange = (text: string) => {
    const ms = parseDuration(text) ?? -1;
    return ms >= (parseDuration(least) as number) && ms <= (parseDuration(most) as number);
  };
  return z.string().refine(inRange, `must be a duration such as 30s or 1h30m, ${least} to ${most}`);
}

const query = z
  .string()
  .min(1)
  .max(MAX_QUERY_CHARS)
  .superRefine((text, context) => {
    const fault = checkTemplate(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
const name = z
  .string()
  .min(1)
  .max(100)
  .refine((text) => text.isWellFormed(), 'is no well-formed text')
  .refine((text) => !(text in {}), 'is a name that every object of JavaScript has'); // what looks leave is kept by it
const finite = z.number();
const limit = z.int().min(0).max(1_000_000);

const common = {
  /** Unique in its analysis. */
  name,
  /** PromQL that gives one series; `{{version}}` in its label values is the canary's or the baseline's. */
  query,
  /** Measured and told, but decides nothing. */
  dryRun: z.boolean().default(false),
};

const margin = strictFields({ relative: finite.min(0).max(10).optional(), absolute: finite.min(0).optional() }).refine(
  ({ relative, absolute }) => relative !== undefined || absolute !== undefined,
  'takes relative, absolute, or both',
);

const compared = {
  ...common,
  /** What the baseline is asked by, where that is another query. */
  baselineQuery: query.optional(),
  /** The stable version at the same time, the same before the canary began, the same hours of earlier weeks, or a number. */
  baseline: z.union([z.enum(['control', 'previous', 'history']), strictFields({ value: finite })]).default('control'),
  /** How many earlier weeks. */
  weeks: z.int().min(2).max(8).default(4),
  /** Which way is worse. */
  direction: z.enum(['increase', 'decrease', 'either']).default('increase'),
  /** Without one: non-inferiority where there is a margin, deterioration where there is none. */
  goal: z.enum(['deterioration', 'non-inferiority', 'superiority']).optional(),
  margin: margin.optional(),
  /** What a step without a value is. */
  missing: z.enum(['drop', 'zero']).default('drop'),
};

const condition = strictFields({
  above: finite.optional(),
  atLeast: finite.optional(),
  below: finite.optional(),
  atMost: finite.optional(),
}).refine((fields) => Object.values(fields).some((value) => value !== undefined), 'takes above, atLeast, below, atMost, or several');

const Metric = z.discriminatedUnion(
  'kind',
  [
    strictFields({ kind: z.literal('mean'), ...compared }),
    strictFields({ kind: z.literal('mann-whitney'), ...compared }),
    strictFields({ kind: z.literal('quantile'), ...compared, quantile: finite.gt(0).lt(1) }),
    strictFields({ kind: z.literal('rate'), ...compared, window: duration('1s', '1d').optional() }),
    strictFields({ kind: z.literal('ratio'), ...compared, total: query, baselineTotal: query.optional() }),
    strictFields({
      kind: z.literal('threshold'),
      ...common,
      success: condition.optional(),
      failure: condition.optional(),
      count: z.int().min(1).max(MAX_STEPS).optional(),
      failureLimit: z.int().min(-1).max(1_000_000).default(0),
      inconclusiveLimit: limit.default(0),
      consecutiveErrorLimit: limit.default(4),
      consecutiveSuccessLimit: limit.default(0),
    }),
  ],
  'kind takes: mean, rate, ratio, quantile, mann-whitney, threshold',
);
export type Metric = z.infer<typeof Metric>;
export type ComparedMetric = Exclude<Metric, { kind: 'threshold' }>;
export type ThresholdMetric = Extract<Metric, { kind: 'threshold' }>;

/** How a canary is analysed, as `analyses: {name: ...}` of an application has it. What is parsed parses again to the same. */
export const Analysis = strictFields({
  /** Between looks, and between measurements of thresholds. */
  interval: duration('1s', '1d').default('1m'),
  /** How many are planned. Without, one may look for ever, with less power. */
  looks: z.int().min(1).max(MAX_LOOKS).optional(),
  /** Between values of a query; default the interval. */
  step: duration('1s', '1d').optional(),
  /** What of the canary's beginning is not looked at. */
  warmup: duration('0s', '1d').default('0s'),
  /** The chance that the analysis fails a version that is no worse, over all of its looks and metrics. */
  alpha: finite.min(1e-4).max(0.2).default(0.05),
  correction: z.enum(['bonferroni', 'none']).default('bonferroni'),
  spending: z.enum(['power', 'obrien-fleming', 'pocock']).default('power'),
  /** Without planned looks: when it is to be sharpest. */
  tunedFor: duration('1m', '30d').default('1h'),
  minSamples: z.int().min(12).max(MAX_STEPS).default(12),
  /** The share of planned samples that a pass at the end needs. */
  minCoverage: finite.gt(0).max(1).default(0.5),
  /** More looks in a row without a new sample end the analysis. */
  consecutiveErrorLimit: limit.default(4),
  metrics: z.array(Metric).min(1).max(MAX_METRICS),
}).superRefine((analysis, context) => {
  for (const { path, message } of faultsOf(analysis)) context.addIssue({ code: 'custom', path: [...path], message });
});
export type Analysis = z.infer<typeof Analysis>;

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function faultsOf(analysis: Omit<Analysis, 'metrics'> & { readonly metrics: readonly Metric[] }): readonly Fault[] {
  const { metrics, looks = 0 } = analysis;
  const intervalMs = parseDuration(analysis.interval) ?? 0;
  const stepMs = parseDuration(analysis.step ?? analysis.interval) ?? intervalMs;
  const names = metrics.map((metric) => metric.name);
  const faults: Fault[] = [];
  if (stepMs > intervalMs) faults.push({ path: ['step'], message: `must not be longer than the interval, ${analysis.interval}` });
  if ((looks * intervalMs) / stepMs > MAX_STEPS)
    faults.push({ path: ['looks'], message: `looks x interval / step must be at most ${MAX_STEPS}` });
  if (looks > 0 && (parseDuration(analysis.warmup) ?? 0) >= looks * intervalMs)
    faults.push({ path: ['warmup'], message: 'must be shorter than all looks together' });
  if (metrics.every(({ dryRun }) => dryRun)) faults.push({ path: ['metrics'], message: 'are all dry runs, so that nothing decides' });
  return [...faults, ...metrics.flatMap((metric, i) => metricFaults(metric, names.indexOf(metric.name) !== i, ['metrics', i]))];
}

function metricFaults(metric: Metric, isRepeated: boolean, path: readonly (string | number)[]): readonly Fault[] {
  const faults: Fault[] = [];
  if (isRepeated) faults.push({ path: [...path, 'name'], message: `is the name of two metrics: ${JSON.stringify(metric.name)}` });
  if (metric.kind === 'threshold') {
    if (!metric.success && !metric.failure) faults.push({ path, message: 'takes success, failure, or both' });
    return faults;
  }
  if (metric.goal === 'non-inferiority' && !metric.margin)
    faults.push({ path: [...path, 'margin'], message: 'is missing; non-inferiority takes one' });
  if (metric.goal === 'superiority' && (metric.margin || metric.direction === 'either'))
    faults.push({ path: [...path, 'goal'], message: 'superiority takes no margin, and a direction of increase or decrease' });
  if (metric.kind === 'ratio' && metric.missing === 'zero')
    faults.push({ path: [...path, 'missing'], message: 'has no meaning for a ratio: a step counts where its total is known' });
  return faults;
}
