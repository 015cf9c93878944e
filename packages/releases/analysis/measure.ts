import { mapConcurrent } from '#core/batch.ts';
import { formatDuration } from '#core/duration.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { DAY_MS } from '#core/time.ts';
import type { RangeQuery } from '#ports/query.ts';
import type { MeasuredArm } from '#releases/judge/align.ts';
import type { MeasuredArms } from '#releases/judge/sequential-test.ts';
import { type ComparedMetric, MAX_STEPS, type Metric, type ThresholdMetric } from './analysis.ts';
import type { AnalysisPlan } from './analysis-plan.ts';
import type { AnalysisState } from './analysis-state.ts';
import type { LookSamples, Measurements } from './judge-look.ts';
import { renderTemplate } from './query-template.ts';

export interface MeasureInput {
  readonly tenant: string;
  readonly plan: AnalysisPlan;
  readonly variables: Readonly<Record<string, string>>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: AnalysisState;
}

/** Evaluation times: `count` of them, `stepMs` apart. */
interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

type Ask = (query: string, version: 'canary' | 'stable', grid: Grid) => Promise<Float64Array>;

const METRICS_AT_ONCE = 4;
const WEEK_MS = 7 * DAY_MS;
/** Measurements of a threshold that one look catches up with at most. */
const MOST_MEASUREMENTS = 1_000;

/**
 * Asks for what a look needs: of compared metrics everything since the canary began, of thresholds what was not measured yet. A step's value
 * is that of the query at its end, so that only whole steps count. `input` for a query that gives several series or cannot be evaluated.
 */
export async function measureLook(query: RangeQuery, input: MeasureInput): Promise<LookSamples> {
  const arms: Record<string, MeasuredArms> = {};
  const measurements: Record<string, Measurements> = {};
  await mapConcurrent(input.plan.analysis.metrics, METRICS_AT_ONCE, async (metric) => {
    const ask = makeAsk(query, input, metric);
    if (metric.kind === 'threshold') measurements[metric.name] = await measureThreshold(ask, metric, input);
    else arms[metric.name] = await measureArms(ask, metric, input);
  });
  return { arms, measurements };
}

function makeAsk(query: RangeQuery, { tenant, variables }: MeasureInput, metric: Metric): Ask {
  return async (template, version, { startMs, stepMs, count }) => {
    if (count <= 0) return new Float64Array();
    try {
      const expr = renderTemplate(template, withVersion(variables, version));
      const { series } = await query.range({ tenant, expr, startMs, endMs: startMs + (count - 1) * stepMs, stepMs });
      if (series.length > 1)
        throw new OpsError('input', `the query gives ${series.length} series`, { hint: 'aggregate them, as sum or avg do' });
      return layOut(series[0], { startMs, stepMs, count });
    } catch (error) {
      throw nameMetric(error, metric.name);
    }
  };
}

/** `{{version}}` is the arm's own; the rest is the same in both. */
function withVersion(variables: Readonly<Record<string, string>>, version: 'canary' | 'stable'): Readonly<Record<string, string>> {
  const own = variables[version];
  return own === undefined ? variables : { ...variables, version: own };
}

function layOut(
  series: { readonly ts: Float64Array; readonly values: Float64Array } | undefined,
  { startMs, stepMs, count }: Grid,
): Float64Array {
  const values = new Float64Array(count).fill(Number.NaN);
  series?.ts.forEach((tMs, i) => {
    values[Math.round((tMs - startMs) / stepMs)] = series.values[i] as number;
  });
  return values;
}

/** An expression that its data does not allow is the configuration's fault here, too. */
function nameMetric(error: unknown, name: string): unknown {
  if (!isOpsError(error)) return error;
  const { hint, retryAfterMs } = error;
  const kind = error.kind === 'conflict' ? 'input' : error.kind;
  return new OpsError(kind, `metric ${name}: ${error.message}`, { cause: error, hint, retryAfterMs });
}

async function measureArms(ask: Ask, metric: ComparedMetric, input: MeasureInput): Promise<MeasuredArms> {
  const grid = canaryGrid(input);
  const askArm = (version: 'canary' | 'stable', on: Grid) => measureArm(ask, metric, version, on, input.plan);
  const canary = await askArm('canary', grid);
  if (typeof metric.baseline === 'object') return { canary, baselines: [constantArm(canary, metric.baseline.value)] };
  const grids = baselineGrids(metric, grid, input);
  return { canary, baselines: await Promise.all(grids.map((one) => askArm('stable', one))) };
}

/** Whole steps from the end of the warm-up on. */
function canaryGrid({ plan: { stepMs, warmupMs }, fromMs, toMs }: MeasureInput): Grid {
  const count = Math.floor((toMs - fromMs - warmupMs) / stepMs);
  return { startMs: fromMs + warmupMs + stepMs, stepMs, count: Math.max(0, Math.min(MAX_STEPS, count)) };
}

function baselineGrids({ baseline, weeks }: ComparedMetric, grid: Grid, { plan, fromMs }: MeasureInput): readonly Grid[] {
  if (baseline === 'control') return [grid];
  if (baseline === 'previous') return [{ ...grid, startMs: fromMs - (plan.steps - 1) * grid.stepMs, count: plan.steps }];
  return Array.from({ length: weeks }, (_, i) => ({ ...grid, startMs: grid.startMs - (i + 1) * WEEK_MS }));
}

async function measureArm(
  ask: Ask,
  metric: ComparedMetric,
  version: 'canary' | 'stable',
  grid: Grid,
  plan: AnalysisPlan,
): Promise<MeasuredArm> {
  const isStable = version === 'stable';
  const query = (isStable ? metric.baselineQuery : undefined) ?? metric.query;
  if (metric.kind === 'ratio') {
    const total = (isStable ? metric.baselineTotal : undefined) ?? metric.total;
    const [values, totals] = await Promise.all([ask(query, version, grid), ask(total, version, grid)]);
    return { values, totals };
  }
  const window = metric.kind === 'rate' ? (metric.window ?? formatDuration(plan.stepMs)) : undefined;
  return { values: await ask(window === undefined ? query : `sum(rate(${query}[${window}]))`, version, grid) };
}

/** An arm that has the same level wherever the canary has a value. */
function constantArm({ values, totals }: MeasuredArm, level: number): MeasuredArm {
  return {
    values: values.map((value, i) => (totals ? level * (totals[i] as number) : Number.isFinite(value) ? level : Number.NaN)),
    totals,
  };
}

async function measureThreshold(ask: Ask, metric: ThresholdMetric, { plan, fromMs, toMs, state }: MeasureInput): Promise<Measurements> {
  const known = state.thresholds[metric.name];
  const beforeMs = known?.untilMs ?? fromMs + plan.warmupMs;
  const count = known?.outcome === undefined ? Math.min(MOST_MEASUREMENTS, Math.floor((toMs - beforeMs) / plan.intervalMs)) : 0;
  if (count <= 0) return { values: [], untilMs: known?.untilMs };
  const grid = { startMs: beforeMs + plan.intervalMs, stepMs: plan.intervalMs, count };
  return { values: [...(await ask(metric.query, 'canary', grid))], untilMs: beforeMs + count * plan.intervalMs };
}
