import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Series } from '#model/series.ts';
import { type Tier, tiers } from '#model/tier.ts';
import type { ReadStats, SampleSource, SelectLimits, SelectResult } from '#ports/sample-source.ts';
import { formatAnnotations, makeAnnotations } from './promql/annotations.ts';
import type { Expr } from './promql/ast.ts';
import { evalExpr } from './promql/eval-expr.ts';
import type { Evaluation, VectorSelector } from './promql/evaluation.ts';
import type { Frame, Value } from './promql/frame.ts';
import { compareLabelSets, emptySeries } from './promql/labels.ts';
import { assertShortLists } from './promql/list-limits.ts';
import { evalRangeVector } from './promql/matrix-result.ts';
import { removeNames } from './promql/merge.ts';
import { makePace } from './promql/pace.ts';
import { prepareExpr } from './promql/prepare.ts';
import { pointsOfRow } from './promql/range-input.ts';
import { planSelections, type Selection } from './promql/selections.ts';
import { countSteps, makeSteps } from './promql/steps.ts';
import { valueType } from './promql/value-types.ts';
import { tooManySamplesError } from './query-errors.ts';
import type { MatrixSeries, QueryResult, QueryValue } from './query-result.ts';
import { makeReader, type ReadRequest } from './reader.ts';

export interface EvaluateInput {
  readonly tenant: string;
  /** A checked expression, as the parser gives it. */
  readonly expr: Expr;
  /** The text it was parsed from, for line and column in warnings. */
  readonly query?: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  /** Distance of evaluation times; 0 for an instant query at `startMs`. */
  readonly stepMs: number;
  readonly lookbackMs: number;
  /** `maxSamples` bounds what is read for one selector, and the points held at one time. */
  readonly limits: SelectLimits & { readonly timeoutMs: number };
  readonly signal?: AbortSignal | undefined;
  readonly now: Clock;
  /** Step of subqueries that name none; default one minute. */
  readonly subqueryStepMs?: number | undefined;
  /** Whether known start times count in rate, irate, increase, resets and start_timestamp; default yes. */
  readonly useStartTimestamps?: boolean | undefined;
  /** How rate and increase treat a counter that begins inside the window; default 3.x, the other for comparison with an older server. */
  readonly extrapolation?: '2.x' | '3.x' | undefined;
}

/**
 * Evaluates an expression over what a source holds, with the semantics of Prometheus 3.x. All selectors are read at once,
 * then every node is computed for all steps together. Fails with `input` for an expression that makes no sense for this kind
 * of query, `conflict` where it cannot be evaluated over the data it met, `limit` past a limit, `unavailable` when the time
 * is over or it was cancelled; `queryErrorType` says which of Prometheus' error types that is.
 */
export async function evaluateQuery(deps: { source: SampleSource }, input: EvaluateInput): Promise<QueryResult> {
  const isRange = input.stepMs > 0;
  if (isRange && valueType(input.expr) !== 'vector' && valueType(input.expr) !== 'scalar') throw wrongRangeType(input.expr);
  assertShortLists(input.expr);
  const times = { startMs: input.startMs, endMs: isRange ? input.endMs : input.startMs, stepMs: input.stepMs };
  const expr = prepareExpr(input.expr, times);
  const { maxSamples, timeoutMs } = input.limits;
  if (countSteps(times.startMs, times.endMs, times.stepMs) > maxSamples) throw tooManySamplesError();
  const reader = makeReader(deps.source, input);
  try {
    const pace = makePace({ now: input.now, timeoutMs, maxSamples, signal: input.signal });
    const lookbackMs = input.lookbackMs;
    const subqueryStepMs = input.subqueryStepMs ?? 60_000;
    const selected = await readSelections(planSelections(expr, times, { lookbackMs, subqueryStepMs }), reader.select);
    const evaluation: Evaluation = {
      steps: makeSteps(times.startMs, times.endMs, times.stepMs),
      lookbackMs,
      subqueryStepMs,
      useStartTimestamps: input.useStartTimestamps ?? true,
      extrapolation: input.extrapolation ?? '3.x',
      annotations: makeAnnotations(),
      pace,
      evaluate: evalExpr,
      selected,
      select: ({ matchers, startMs, endMs, func }) => reader.select({ matchers, startMs, endMs, rangeMs: 0, stepMs: input.stepMs, func }),
    };
    const value = await evaluateValue(evaluation, expr, isRange);
    return { ...value, ...describeRun(evaluation, input.query, reader.results) };
  } finally {
    reader.close();
  }
}

function wrongRangeType(expr: Expr): OpsError {
  const name = valueType(expr) === 'matrix' ? 'range vector' : 'string';
  return new OpsError('input', `invalid expression type "${name}" for range query, must be Scalar or instant Vector`);
}

const SELECTIONS_AT_ONCE = 16;

/** Reads all selections, several at once, equal ones once. */
async function readSelections(
  plans: readonly Selection[],
  select: (request: ReadRequest) => Promise<SelectResult>,
): Promise<Map<VectorSelector, SelectResult>> {
  const underWay = new Map<string, Promise<SelectResult>>();
  const read = await mapConcurrent(
    plans,
    SELECTIONS_AT_ONCE,
    async ({ selector, ...selection }): Promise<[VectorSelector, SelectResult]> => {
      const request = { matchers: selector.matchers, ...selection };
      const key = JSON.stringify(request);
      const known = underWay.get(key) ?? select(request);
      underWay.set(key, known);
      return [selector, await known];
    },
  );
  return new Map(read);
}

async function evaluateValue(evaluation: Evaluation, expr: Expr, isRange: boolean): Promise<QueryValue> {
  if (valueType(expr) === 'matrix') return { type: 'matrix', series: sortSeries(await evalRangeVector(evaluation, expr)) };
  const value = await evalExpr(evaluation, expr);
  if (isRange) return { type: 'matrix', series: toMatrix(evaluation, value) };
  const tMs = evaluation.steps.startMs;
  if (value.kind === 'scalar') return { type: 'scalar', tMs, value: value.values[0] as number };
  if (value.kind === 'string') return { type: 'string', tMs, value: value.value };
  const frame = removeNames(value);
  return { type: 'vector', tMs, series: frame.series, values: frame.values.subarray(0, frame.series.length) };
}

function toMatrix({ steps }: Evaluation, value: Value): MatrixSeries[] {
  if (value.kind === 'string') throw new TypeError('a range query gave a string');
  if (value.kind === 'scalar') return [{ series: emptySeries, ts: steps.times, values: value.values, count: steps.count }];
  return sortSeries(seriesOfFrame(removeNames(value)));
}

function seriesOfFrame(frame: Frame): MatrixSeries[] {
  const n = frame.steps.count;
  return frame.series.map((series: Series, row) => {
    const { ts, value } = pointsOfRow(frame, row * n);
    return { series, ts, values: value, count: ts.length };
  });
}

function sortSeries(series: MatrixSeries[]): MatrixSeries[] {
  return series.sort((a, b) => compareLabelSets(a.series, b.series));
}

function describeRun(
  evaluation: Evaluation,
  query: string | undefined,
  results: readonly SelectResult[],
): Omit<QueryResult, keyof QueryValue> {
  const { warnings, infos } = formatAnnotations(evaluation.annotations, query);
  for (const result of results) for (const warning of result.warnings) if (!warnings.includes(warning)) warnings.push(warning);
  const read = results.reduce<ReadStats>((sum, result) => addStats(sum, result.read), { objects: 0, requests: 0, bytes: 0, samples: 0 });
  const answered: Tier[] = tiers.filter((tier) => results.some((result) => result.tier === tier));
  return { warnings, infos, read, tiers: answered };
}

function addStats(a: ReadStats, b: ReadStats): ReadStats {
  return { objects: a.objects + b.objects, requests: a.requests + b.requests, bytes: a.bytes + b.bytes, samples: a.samples + b.samples };
}
