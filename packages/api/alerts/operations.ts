import type { Operation } from '#api/operation.ts';

/** What Prometheus' API says of rules and alerts; at the root and below /prometheus. */
export const ruleOperations: readonly Pick<Operation, 'path' | 'summary' | 'parameters'>[] = [
  {
    path: '/api/v1/rules',
    summary: 'Rule groups, how each rule stands, and its alerts: of files, of SLOs, and written by API',
    parameters: ['type', 'rule_name[]', 'rule_group[]', 'file[]', 'match[]', 'exclude_alerts', 'group_limit', 'group_next_token'],
  },
  { path: '/api/v1/alerts', summary: 'Alerts of rules that are pending or fire' },
];

const V2 = '/alertmanager/api/v2';
const refused = { '400': "Alertmanager's message, as a JSON string." };
const get = (path: string, summary: string, answer: string, more: Partial<Operation> = {}): Operation => ({
  method: 'get',
  path,
  summary,
  scope: 'query',
  answers: { '200': answer, ...(more.parameters && refused) },
  ...more,
});
const states = ['active', 'silenced', 'inhibited', 'unprocessed', 'filter', 'receiver'];

const alertmanager: readonly Operation[] = [
  get(`${V2}/alerts`, 'Alerts that fire, whoever told of them, and what holds them back', 'GettableAlerts.', { parameters: states }),
  {
    method: 'post',
    path: `${V2}/alerts`,
    summary: 'Tell of alerts, as Prometheus does with path_prefix /alertmanager; 64 labels an alert, 16 MiB a request',
    scope: 'ingest',
    body: ['application/json'],
    answers: { '200': 'All of them are stored, durably.', '400': 'What could not be taken, as a JSON string; the rest is stored.' },
  },
  get(`${V2}/alerts/groups`, 'Alerts in the groups that they are told in', 'AlertGroups.', { parameters: [...states, 'muted'] }),
  get(`${V2}/silences`, 'Silences, those that expired within five days among them', 'GettableSilences.', { parameters: ['filter'] }),
  {
    method: 'post',
    path: `${V2}/silences`,
    summary: 'Make a silence, or change the one whose id is given',
    scope: 'admin',
    body: ['application/json'],
    answers: {
      '200': '{"silenceID"}: a new one where the change would rewrite history.',
      ...refused,
      '404': 'There is no silence of that id.',
    },
  },
  get(`${V2}/silence/{id}`, 'One silence', 'GettableSilence.', { answers: { '200': 'GettableSilence.', '404': 'There is none.' } }),
  {
    method: 'delete',
    path: `${V2}/silence/{id}`,
    summary: 'End a silence',
    scope: 'admin',
    answers: { '200': 'It has ended.', '404': 'There is none.' },
  },
  get(`${V2}/receivers`, 'Names of the receivers', '[{"name"}].'),
  get(`${V2}/status`, 'The configuration without its secrets, version, uptime', 'AlertmanagerStatus.'),
  get('/alertmanager/-/healthy', 'Whether the process is there', 'OK', { scope: 'open' }),
  get('/alertmanager/-/ready', 'Whether the process is ready', 'OK', { scope: 'open' }),
];

const RULER = '/prometheus/config/v1/rules';
const YAML = 'application/yaml';
const none = { '404': 'There is none.' };

const ruler: readonly Operation[] = [
  get(RULER, 'Rule groups written by API, by namespace (YAML)', 'Groups by namespace.', {
    answers: { '200': 'Groups by namespace.', ...none },
  }),
  get(`${RULER}/{namespace}`, 'Those of one namespace', 'The same.', { answers: { '200': 'Groups by namespace.', ...none } }),
  get(`${RULER}/{namespace}/{group}`, 'One rule group', 'The group.', { answers: { '200': 'The group.', ...none } }),
  {
    method: 'post',
    path: `${RULER}/{namespace}`,
    summary: 'Put a rule group in the place of the one of its name; at most 350,000 bytes, 1,000 groups a tenant',
    scope: 'admin',
    body: [YAML],
    answers: {
      '202': 'It is evaluated from now on.',
      '400': 'What is wrong with it, a line each: line:column: message.',
      '409': 'A file of the configuration has a group of that name in a namespace of that name.',
    },
  },
  ...[`${RULER}/{namespace}`, `${RULER}/{namespace}/{group}`].map(
    (path): Operation => ({
      method: 'delete',
      path,
      summary: path.endsWith('{group}') ? 'Delete a rule group: its alerts are over' : 'Delete all groups of a namespace',
      scope: 'admin',
      answers: { '202': 'It is gone.', ...none },
    }),
  ),
];

/** Everything about alerts beside what is Prometheus' own. */
export const alertOperations: readonly Operation[] = [
  ...alertmanager,
  ...ruler,
  get(
    '/api/alerts/{fingerprint}/explain',
    'Who is told what of an alert, and why not',
    'state, rule, changes, routes (group, integrations told, tries), silences, inhibitions, next; each with a sentence.',
  ),
  get(
    '/api/detectors',
    'What is detected: each detector with how its last evaluation left it',
    'detectors: name, file, group, kind, conditions or expr and band, labels, evaluatedAt, error, state (labelSets, pending, firing).',
  ),
  get(
    '/api/incidents',
    'Incidents, those opened last first; status is open (the default) or closed',
    'incidents: id, status, title, severity, labels, openedAt, closedAt, alerts, firing, causes (score, evidence, sentence); next.',
    { parameters: ['status', 'limit', 'after'] },
  ),
  get('/api/incidents/{id}', 'One incident', 'As in the list, with names, history, members.', {
    answers: { '200': 'As in the list, with names, history, members.', '404': 'This tenant has no such incident.' },
  }),
  get(
    '/api/slo',
    'How every SLO stands',
    'slos: objective, errorBudget, periodSeconds, error ratios, currentBurnRate, periodBurnRate, budgetRemaining (null: no data), exhaustion (unknown, exhausted, burning, none), secondsToExhaustion.',
  ),
];
