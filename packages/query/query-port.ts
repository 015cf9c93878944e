import { type BoundedCache, createCache } from '#core/bounded-cache.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { CheckedExpr, InstantAnswer, InstantInput, InstantSample, Query, RangeInput, RangeQuery, RangeSeries } from '#ports/query.ts';
import type { SampleSource, SelectLimits } from '#ports/sample-source.ts';
import { evaluateQuery } from './evaluate.ts';
import type { Expr } from './promql/ast.ts';
import { emptySeries } from './promql/labels.ts';
import { parseExpr } from './promql/parse.ts';
import { formatExpr } from './promql/print.ts';
import { valueType } from './promql/value-types.ts';
import { visitSelectors } from './promql/visit-selectors.ts';
import type { MatrixSeries, QueryResult } from './query-result.ts';

/** Expressions by their text, each parsed once. */
export type ExprCache = BoundedCache<Expr>;

export interface QueryPortDeps {
  readonly source: SampleSource;
  readonly limits: SelectLimits & { readonly timeoutMs: number };
  readonly now: Clock;
  /** How long a sample counts after its time; default 5 minutes. */
  readonly lookbackMs?: number | undefined;
  /** Step of subqueries that name none; default one minute. */
  readonly subqueryStepMs?: number | undefined;
  /** Shared by ports that live shortly; default one of its own. */
  readonly cache?: ExprCache | undefined;
}

const CACHE_ENTRIES = 20_000;
const CACHE_CHARS = 20_000_000;

/** A cache of expressions for `createQueryPort`, bounded by their number and the characters they were read from. */
export function createExprCache(): ExprCache {
  return createCache({ maxEntries: CACHE_ENTRIES, maxWeight: CACHE_CHARS });
}

/** The `Query` and `RangeQuery` ports on this engine, over one source. */
export function createQueryPort({
  source,
  limits,
  now,
  lookbackMs = 300_000,
  subqueryStepMs,
  cache = createExprCache(),
}: QueryPortDeps): Query & RangeQuery {
  const parse = (text: string): Expr => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const expr = parseExpr(text);
    cache.set(text, expr, text.length);
    return expr;
  };
  return {
    check: (text) => describe(parse(text)),
    async instant({ tenant, expr: query, atMs, signal }: InstantInput) {
      const expr = parse(query);
      const times = { startMs: atMs, endMs: atMs, stepMs: 0 };
      return toAnswer(await evaluateQuery({ source }, { tenant, expr, query, ...times, lookbackMs, limits, signal, now, subqueryStepMs }));
    },
    async range({ tenant, expr: query, signal, ...times }: RangeInput) {
      const expr = parse(query);
      const result = await evaluateQuery({ source }, { tenant, expr, query, ...times, lookbackMs, limits, signal, now, subqueryStepMs });
      return { series: result.type === 'matrix' ? result.series.map(toRangeSeries) : [], warnings: result.warnings };
    },
  };
}

function toRangeSeries({ series, ts, values, count }: MatrixSeries): RangeSeries {
  return { series, ts: ts.subarray(0, count), values: values.subarray(0, count) };
}

function describe(expr: Expr): CheckedExpr {
  const metrics: (string | undefined)[] = [];
  visitSelectors(expr, ({ matchers }) => {
    metrics.push(matchers.find(({ name, op }) => name === '__name__' && op === '=')?.value);
  });
  return { type: valueType(expr), text: formatExpr(expr), metrics };
}

function toAnswer(result: QueryResult): InstantAnswer {
  const { warnings } = result;
  if (result.type === 'scalar') return { samples: [{ series: emptySeries, value: result.value }], warnings };
  if (result.type !== 'vector') throw new OpsError('input', 'rule result is not a vector or scalar');
  const samples: InstantSample[] = result.series.map((series, i) => ({ series, value: result.values[i] as number }));
  return { samples, warnings };
}
