import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { compareUtf8 } from '#core/text.ts';
import { compareSeries, type Series } from '#model/series.ts';
import { answer, answering } from './answers.ts';
import { readForm } from './form.ts';
import { readLabelName } from './label-name.ts';
import { readCount, readSeriesParams, type SeriesParams } from './params.ts';
import type { QueryApi } from './query-api.ts';
import { limitList, SUCCESS_HEAD, successJson, successTail } from './response.ts';
import { metricJson } from './result-json.ts';

/** series, labels, label values and metadata of Prometheus' HTTP API, below a prefix. */
export function seriesRoutes(api: QueryApi, prefix: string): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const on = (methods: string[], path: string, handle: (c: ApiContext, form: URLSearchParams) => Promise<Response>) =>
    app.on(methods, `${prefix}/api/v1/${path}`, (c) => answering(c, async () => handle(c, await readForm(c.req.raw))));
  on(['GET', 'POST'], 'series', async (c, form) => {
    const params = readSeriesParams(form, 'series');
    const { series, read } = await find(api, c, params);
    const { items, notes } = limitList([...series].sort(compareSeries), params.limit);
    return answer(c, `${SUCCESS_HEAD}[${items.map(metricJson).join()}]${successTail(notes)}`, { read, tiers: [] });
  });
  on(['GET', 'POST'], 'labels', async (c, form) => {
    const names = new Set<string>();
    return listed(api, c, readSeriesParams(form, 'labels'), (series) => {
      if (series.metric !== '') names.add('__name__');
      for (const { name } of series.labels) names.add(name);
      return names;
    });
  });
  on(['GET'], 'label/:name/values', async (c, form) => {
    const name = readLabelName(c.req.param('name') ?? '');
    const values = new Set<string>();
    return listed(api, c, readSeriesParams(form, 'labels'), (series) => {
      const value = name === '__name__' ? series.metric : series.labels.find((label) => label.name === name)?.value;
      if (value) values.add(value);
      return values;
    });
  });
  on(['GET'], 'metadata', async (c, form) => answer(c, successJson(await readMetadata(api, c.get('tenant'), form))));
  return app;
}

function find(api: QueryApi, c: ApiContext, { matchers, startMs, endMs }: SeriesParams) {
  const tenant = c.get('tenant');
  return api.source.series({ tenant, matcherSets: matchers, startMs, endMs, limits: api.queryLimits(tenant), signal: c.req.raw.signal });
}

/** Collects strings over the series found; in order, as Prometheus gives them. */
async function listed(api: QueryApi, c: ApiContext, params: SeriesParams, collect: (series: Series) => Set<string>): Promise<Response> {
  const { series, read } = await find(api, c, params);
  let found = new Set<string>();
  for (const one of series) found = collect(one);
  const { items, notes } = limitList([...found].sort(compareUtf8), params.limit);
  return answer(c, successJson(items, notes), { read, tiers: [] });
}

async function readMetadata(api: QueryApi, tenant: string, form: URLSearchParams): Promise<Record<string, object[]>> {
  const limit = readCount(form, 'limit');
  readCount(form, 'limit_per_metric'); // there is one entry for each
  const metric = form.get('metric') || undefined;
  const found = await api.source.metadata({ tenant, metric });
  const kept = limit >= 0 ? found.slice(0, limit) : found;
  return Object.fromEntries(kept.map(({ metric: name, type, help, unit }) => [name, [{ type, help, unit }]]));
}
