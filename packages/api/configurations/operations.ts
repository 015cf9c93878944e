import type { Operation } from '#api/operation.ts';

const LAYERS = '/api/configurations/{application}/layers';
const ENVIRONMENT = '/api/configurations/{application}/environments/{environment}';
const JSON_BODY = ['application/json'];
const missing = { '404': 'There is no such version.' };
const conflict = { '400': 'What is wrong with it, a line each.', '409': 'Somebody else has changed it since.' };

const get = (path: string, summary: string, answer: string, parameters?: readonly string[]): Operation => ({
  method: 'get',
  path,
  summary,
  scope: 'query',
  parameters,
  answers: { '200': answer, ...missing },
});

/** Configurations of applications, by layer and by environment. */
export const configurationOperations: readonly Operation[] = [
  get(LAYERS, 'The latest version of each layer of an application', '{"layers": {layer: version}}.'),
  get(`${LAYERS}/{layer}`, 'A layer as it was written', '{"layer", "version", "document", "by", "message", "at"}.', ['version']),
  {
    method: 'put',
    path: `${LAYERS}/{layer}`,
    summary: 'Write a new version of a layer: {"document", "expected", "message", "by"}; values of secrets are refused, 300 KB',
    scope: 'admin',
    body: JSON_BODY,
    answers: { '200': 'The version; nothing runs with it until it is activated.', ...conflict },
  },
  get(`${LAYERS}/{layer}/versions`, 'Versions of a layer, the newest first', '{"versions"}, at most 100.'),
  get(`${LAYERS}/{layer}/diff`, 'What changed between two versions', '{"from", "to", "changes"}.', ['from', 'to']),
  get(ENVIRONMENT, 'What an environment runs with, and which layer says so', '{"active", "env", "files", "problems"}.'),
  get(`${ENVIRONMENT}/plan`, 'What activating would change, and what would be wrong', '{"pin", "changes", "problems"}.', [
    'base',
    'environment',
  ]),
  get(`${ENVIRONMENT}/revisions`, 'What was active, the newest first', '{"revisions"}, at most 100.'),
  get(`${ENVIRONMENT}/drift`, 'How processes that told of themselves within a day differ from it', '{"instances", "drifted"}.'),
  {
    method: 'post',
    path: `${ENVIRONMENT}/activate`,
    summary: 'Run with other versions: {"base", "environment", "expectedRevision", "message", "by"}',
    scope: 'admin',
    body: JSON_BODY,
    answers: { '200': 'What is active.', ...conflict, ...missing },
  },
  {
    method: 'post',
    path: `${ENVIRONMENT}/rollback`,
    summary: 'Return to what was active before, or at {"revision"}',
    scope: 'admin',
    body: JSON_BODY,
    answers: { '200': 'What is active.', ...conflict, ...missing },
  },
  {
    method: 'post',
    path: `${ENVIRONMENT}/observed`,
    summary: 'Tell what a process runs with: {"instance", "env": {name: sha256 or "set"}, "files"}',
    scope: 'ingest',
    body: JSON_BODY,
    answers: { '204': 'It is kept for a day.', '400': 'What is wrong with it.' },
  },
];
