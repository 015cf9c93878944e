import { Hono } from 'hono';
import { alertOperations, ruleOperations } from './alerts/operations.ts';
import type { ApiEnv } from './api-env.ts';
import { backupOperations } from './backups/operations.ts';
import { configurationOperations } from './configurations/operations.ts';
import { flagOperations } from './flags/operations.ts';
import { kubernetesOperations } from './kubernetes/operations.ts';
import type { Operation } from './operation.ts';
import { releaseOperations } from './releases/operations.ts';
import { webhookOperations } from './webhooks/operations.ts';

const PROTOBUF = 'application/x-protobuf';
const stored = { '204': 'All of it is stored, durably.', '400': 'What could not be taken, by reason; the rest is stored.' };

const ingest: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v1/write',
    summary: 'Prometheus remote write 1.0 and 2.0, snappy',
    scope: 'ingest',
    body: [PROTOBUF],
    answers: { ...stored, '415': 'Another content type or encoding.' },
  },
  {
    method: 'post',
    path: '/v1/metrics',
    summary: 'OTLP metrics',
    scope: 'ingest',
    body: [PROTOBUF, 'application/json'],
    answers: { '200': 'ExportMetricsServiceResponse, with a partial success where something was left out.' },
  },
  {
    method: 'post',
    path: '/write',
    summary: 'InfluxDB 1 line protocol',
    scope: 'ingest',
    parameters: ['precision', 'db'],
    body: ['text/plain'],
    answers: stored,
  },
  {
    method: 'post',
    path: '/api/v2/write',
    summary: 'InfluxDB 2 line protocol',
    scope: 'ingest',
    parameters: ['precision', 'bucket', 'org'],
    body: ['text/plain'],
    answers: stored,
  },
  {
    method: 'post',
    path: '/api/v1/import/prometheus',
    summary: 'Prometheus text or OpenMetrics, history allowed',
    scope: 'ingest',
    body: ['text/plain', 'application/openmetrics-text'],
    answers: stored,
  },
  {
    method: 'post',
    path: '/api/v1/import',
    summary: 'JSON lines {"metric":{},"values":[],"timestamps":[]}, history allowed',
    scope: 'ingest',
    body: ['application/x-ndjson'],
    answers: stored,
  },
  {
    method: 'post',
    path: '/api/v1/import/uploads',
    summary: 'Ask for an upload: {"format":"prometheus|json-lines|influx","precision","encoding":"identity|gzip|zstd","sizeBytes"}',
    scope: 'ingest',
    body: ['application/json'],
    answers: {
      '201': 'id, and the form to post: url, fields, and behind them the file as the field `file`; expiresAt.',
      '413': 'The file is larger than an upload takes.',
    },
  },
  {
    method: 'get',
    path: '/api/v1/import/uploads/{id}',
    summary: 'How far an import is, and which lines were rejected',
    scope: 'ingest',
    answers: {
      '200':
        'state (waiting, running, done, failed), error, progress {bytes, totalBytes, lines}, accepted, rejected {count, lineCount, lines [{line, column, message}], reasons}.',
      '404': 'This tenant has no such import.',
    },
  },
  {
    method: 'post',
    path: '/firehose',
    summary: 'Amazon Data Firehose delivery of CloudWatch metric streams',
    scope: 'ingest',
    body: ['application/json'],
    answers: { '200': 'requestId, timestamp.' },
  },
];

const prometheusAnswers = {
  '200': '{"status":"success","data":...}',
  '400': '{"status":"error","errorType":"bad_data",...}',
  '422': 'errorType execution',
  '503': 'errorType timeout',
};
const both = (path: string, summary: string, parameters: readonly string[]): Operation[] =>
  (['get', 'post'] as const).map((method) => ({ method, path, summary, scope: 'query', parameters, answers: prometheusAnswers }));
const one = (path: string, summary: string, parameters: Operation['parameters'] = []): Operation => ({
  method: 'get',
  path,
  summary,
  scope: 'query',
  parameters,
  answers: prometheusAnswers,
});

const prometheus: readonly Operation[] = [
  ...both('/api/v1/query', 'Instant query', ['query!', 'time', 'timeout', 'limit', 'lookback_delta']),
  ...both('/api/v1/query_range', 'Range query', ['query!', 'start!', 'end!', 'step!', 'timeout', 'limit', 'lookback_delta']),
  ...both('/api/v1/format_query', 'The expression, laid out', ['query!']),
  ...both('/api/v1/parse_query', 'The expression as a tree', ['query!']),
  ...both('/api/v1/series', 'Series that match', ['match[]!', 'start', 'end', 'limit']),
  ...both('/api/v1/labels', 'Label names', ['match[]', 'start', 'end', 'limit']),
  one('/api/v1/label/{name}/values', 'Values of a label', ['match[]', 'start', 'end', 'limit']),
  one('/api/v1/metadata', 'Type, help and unit of metrics', ['metric', 'limit']),
  ...both('/api/v1/query_exemplars', 'Always empty: exemplars are counted and not kept', ['query!', 'start', 'end']),
  ...ruleOperations.map(({ path, summary, parameters }) => one(path, summary, parameters)),
  one('/api/v1/status/buildinfo', 'The Prometheus version whose semantics this has'),
];

const operations: readonly Operation[] = [
  ...ingest,
  ...prometheus,
  ...prometheus.map((operation) => ({ ...operation, path: `/prometheus${operation.path}` })),
  ...alertOperations,
  ...releaseOperations,
  ...configurationOperations,
  ...kubernetesOperations,
  ...flagOperations,
  ...webhookOperations,
  ...backupOperations,
  {
    method: 'post',
    path: '/2015-03-31/functions/{name}/invocations',
    summary: "Run a function: Lambda's Invoke",
    scope: 'admin',
    body: ['application/json'],
    answers: { '200': "The function's result." },
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Own metrics in the Prometheus text format',
    scope: 'query',
    answers: { '200': 'Prometheus text.' },
  },
  { method: 'get', path: '/api/openapi.json', summary: 'This document', scope: 'open', answers: { '200': 'OpenAPI 3.1.' } },
  { method: 'get', path: '/', summary: 'What runs here', scope: 'open', answers: { '200': 'A page.' } },
];

/** The OpenAPI document of the whole surface. */
function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method] = describe(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quarterdeck',
      version: '1',
      description: 'Metrics in, tiers on S3, PromQL out, alerts told. Times are as each protocol has them.',
    },
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: { securitySchemes, schemas: { Error: errorSchema } },
  };
}

/** GET /api/openapi.json. */
export function openApiRoutes(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/openapi.json', (c) => c.json(openApiDocument()));
  return app;
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: { type: 'http', scheme: 'basic', description: 'The tenant as user, the token as password.' },
};

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['kind', 'message', 'requestId'],
      properties: { kind: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' }, requestId: { type: 'string' } },
    },
  },
};

function describe({ path, summary, scope, parameters = [], body, answers }: Operation): Record<string, unknown> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = parameters.map((name) => ({
    name: name.replace('!', ''),
    in: 'query',
    required: name.endsWith('!'),
    schema: { type: 'string' },
  }));
  const shared =
    scope === 'open' ? {} : { '401': 'No token, or an unknown one.', '403': `The token lacks the scope ${scope}, or the tenant.` };
  return {
    summary,
    ...(scope === 'open' ? { security: [] } : { 'x-scope': scope }),
    parameters: [...inPath, ...inQuery],
    ...(body && { requestBody: { required: true, content: Object.fromEntries(body.map((type) => [type, {}])) } }),
    responses: Object.fromEntries(Object.entries({ ...answers, ...shared }).map(([status, description]) => [status, { description }])),
  };
}
