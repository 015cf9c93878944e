import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { type EvaluateInput, evaluateQuery } from '#query/evaluate.ts';
import { parseQueryJson } from '#query/promql/parse-query-json.ts';
import { prettyExpr } from '#query/promql/pretty.ts';
import { answer, answering } from './answers.ts';
import { readForm } from './form.ts';
import { type QueryParams, readInstantParams, readQuery, readRangeParams } from './params.ts';
import type { QueryApi } from './query-api.ts';
import { successJson } from './response.ts';
import { resultJson } from './result-json.ts';
import { makeBody } from './stream-body.ts';

const LOOKBACK_MS = 300_000;

/** query, query_range, format_query and parse_query of Prometheus' HTTP API, below a prefix. */
export function queryRoutes(api: QueryApi, prefix: string): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const on = (path: string, handle: (c: ApiContext, form: URLSearchParams) => Promise<Response>) =>
    app.on(['GET', 'POST'], `${prefix}/api/v1/${path}`, (c) => answering(c, async () => handle(c, await readForm(c.req.raw))));
  on('query', async (c, form) => {
    const params = readInstantParams(form, api.now());
    return evaluate(api, c, params, { startMs: params.timeMs, endMs: params.timeMs, stepMs: 0 });
  });
  on('query_range', async (c, form) => {
    const params = readRangeParams(form);
    return evaluate(api, c, params, params);
  });
  on('format_query', async (c, form) => answer(c, successJson(prettyExpr(readQuery(form).expr))));
  on('parse_query', async (c, form) => answer(c, successJson(parseQueryJson(readQuery(form).expr))));
  return app;
}

type Times = Pick<EvaluateInput, 'startMs' | 'endMs' | 'stepMs'>;

async function evaluate(api: QueryApi, c: ApiContext, params: QueryParams, { startMs, endMs, stepMs }: Times): Promise<Response> {
  const tenant = c.get('tenant');
  const limits = api.queryLimits(tenant);
  const timeoutMs = Math.min(params.timeoutMs ?? Number.POSITIVE_INFINITY, limits.timeoutMs);
  const result = await evaluateQuery(api, {
    tenant,
    expr: params.expr,
    query: params.text,
    startMs,
    endMs,
    stepMs,
    lookbackMs: params.lookbackMs ?? LOOKBACK_MS,
    limits: { ...limits, timeoutMs },
    signal: c.req.raw.signal,
    now: api.now,
    extrapolation: params.extrapolation,
  });
  return answer(c, makeBody(resultJson(result, result, params.limit)), result);
}
