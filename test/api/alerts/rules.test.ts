import { describe, expect, it } from 'vitest';
import { readRuleFile } from '#alerts/rules/rule-file.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { formatExponent } from '#api/alerts/rules-json.ts';
import { createAlertApp, NOW } from './alert-app.ts';

const NEVER = '0001-01-01T00:00:00Z';
const iso = (ms: number) => new Date(ms).toISOString();
const file = (namespace: string, text: string) => readRuleFile(text, RULE_CHECKS).groups.map((group) => ({ namespace, group }));
const files = [
  ...file(
    'rules/b.yaml',
    `groups:
- name: second
  limit: 5
  rules:
  - { alert: Slow, expr: slow, for: 5m, keep_firing_for: 1m, labels: { severity: mail, team: db } }
  - { alert: Fast, expr: fast, labels: { severity: page }, annotations: { text: hm } }
- name: first
  interval: 30s
  rules: [{ record: a:b, expr: a }, { record: c:d, expr: c, labels: { team: db } }]
`,
  ),
  ...file('rules/a.yaml', 'groups: [{ name: zeroth, rules: [{ alert: Fast, expr: never, labels: { severity: page } }] }]'),
];
const evaluated = { health: 'ok', evaluationTime: 0, lastEvaluation: iso(NOW) };
const fast = {
  labels: { alertname: 'Fast', job: 'a', severity: 'page' },
  annotations: { text: 'hm' },
  state: 'firing',
  activeAt: iso(NOW),
  value: '1.5e+00',
};
const slow = {
  labels: { alertname: 'Slow', job: 'a', severity: 'mail', team: 'db' },
  annotations: {},
  state: 'pending',
  activeAt: iso(NOW),
  value: '2e+00',
};

async function createEvaluated() {
  const app = createAlertApp({ files, values: { slow: 2, fast: 1.5, a: 1 } });
  await app.evaluate('a');
  return app;
}

interface Groups {
  readonly data: {
    readonly groups: { readonly name: string; readonly rules: { readonly name: string }[] }[];
    readonly groupNextToken?: string;
  };
}
const shortOf = (body: unknown) => (body as Groups).data.groups.map(({ name, rules }) => [name, ...rules.map((rule) => rule.name)]);

describe.each(['', '/prometheus'])('%s/api/v1/rules', (prefix) => {
  const path = `${prefix}/api/v1/rules`;

  it('shows every rule and how it stands, by file and group, in Prometheus’ form', async () => {
    const app = await createEvaluated();
    const { body } = await app.get(path);
    expect(body).toEqual({
      status: 'success',
      data: {
        groups: [
          expect.objectContaining({ name: 'zeroth', file: 'rules/a.yaml' }),
          {
            name: 'first',
            file: 'rules/b.yaml',
            interval: 30,
            limit: 0,
            evaluationTime: 0,
            lastEvaluation: iso(NOW),
            rules: [
              { name: 'a:b', query: 'a', ...evaluated, type: 'recording' },
              { name: 'c:d', query: 'c', labels: { team: 'db' }, ...evaluated, type: 'recording' },
            ],
          },
          {
            name: 'second',
            file: 'rules/b.yaml',
            interval: 60,
            limit: 5,
            evaluationTime: 0,
            lastEvaluation: iso(NOW),
            rules: [
              {
                state: 'pending',
                name: 'Slow',
                query: 'slow',
                duration: 300,
                keepFiringFor: 60,
                labels: { severity: 'mail', team: 'db' },
                annotations: {},
                alerts: [slow],
                ...evaluated,
                type: 'alerting',
              },
              {
                state: 'firing',
                name: 'Fast',
                query: 'fast',
                duration: 0,
                keepFiringFor: 0,
                labels: { severity: 'page' },
                annotations: { text: 'hm' },
                alerts: [fast],
                ...evaluated,
                type: 'alerting',
              },
            ],
          },
        ],
      },
    });
  });

  it.each([
    [
      'type=alert',
      [
        ['zeroth', 'Fast'],
        ['second', 'Slow', 'Fast'],
      ],
    ],
    ['type=record', [['first', 'a:b', 'c:d']]],
    [
      'rule_name[]=Fast&rule_name[]=a:b',
      [
        ['zeroth', 'Fast'],
        ['first', 'a:b'],
        ['second', 'Fast'],
      ],
    ],
    ['rule_group[]=first', [['first', 'a:b', 'c:d']]],
    ['file[]=rules/a.yaml', [['zeroth', 'Fast']]],
    [
      'match[]={team="db"}',
      [
        ['first', 'c:d'],
        ['second', 'Slow'],
      ],
    ],
    [
      'match[]={team="db",severity=~"m.*"}&match[]={severity="page"}',
      [
        ['zeroth', 'Fast'],
        ['second', 'Slow', 'Fast'],
      ],
    ],
    ['match[]={team="web"}', []],
  ])('keeps to %s', async (query, expected) => {
    const app = await createEvaluated();
    expect(shortOf((await app.get(`${path}?${encodeURI(query)}`)).body)).toEqual(expected);
  });

  it.each([
    ['type=both', 'invalid parameter "type": not supported value "both"'],
    ['match[]=%7B', /^invalid parameter "match\[\]": /],
    ['exclude_alerts=maybe', 'invalid parameter "exclude_alerts": strconv.ParseBool: parsing "maybe": invalid syntax'],
    ['group_limit=0', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
    ['group_limit=many', /^invalid parameter "group_limit": group_limit needs to be a valid number/],
    ['group_next_token=x', /^invalid parameter "group_next_token": group_limit needs to be present/],
    ['group_limit=1&group_next_token=x', `invalid parameter "group_next_token": invalid group_next_token 'x'. were rule groups changed?`],
  ])('refuses %s', async (query, error) => {
    const answer = await (await createEvaluated()).get(`${path}?${query}`);
    expect([answer.status, answer.body]).toEqual([
      400,
      { status: 'error', errorType: 'bad_data', error: typeof error === 'string' ? error : expect.stringMatching(error) },
    ]);
  });

  it('gives pages of groups, each with the token of the next', async () => {
    const app = await createEvaluated();
    const seen: unknown[] = [];
    for (let token: string | undefined = ''; token !== undefined; ) {
      const more: string = token === '' ? '' : `&group_next_token=${token}`;
      const body = (await app.get(`${path}?group_limit=1&type=alert${more}`)).body as Groups;
      seen.push(...shortOf(body).map(([name]) => name));
      token = body.data.groupNextToken;
    }
    expect(seen).toEqual(['zeroth', 'second']);
  });

  it('leaves the alerts out where that is asked for', async () => {
    const { body } = await (await createEvaluated()).get(`${path}?exclude_alerts=true&rule_name[]=Fast&file[]=rules/b.yaml`);
    expect((body as { data: { groups: { rules: object[] }[] } }).data.groups[0]?.rules[0]).not.toHaveProperty('alerts');
  });

  it('knows nothing of rules that were never evaluated', async () => {
    const app = createAlertApp({ files });
    const { body } = await app.get(`${path}?rule_name[]=Slow&rule_name[]=a:b`);
    expect(body).toMatchObject({
      data: {
        groups: [
          { lastEvaluation: NEVER, rules: [{ health: 'unknown', lastEvaluation: NEVER }] },
          { lastEvaluation: NEVER, rules: [{ state: 'unknown', health: 'unknown', lastEvaluation: NEVER, alerts: [] }] },
        ],
      },
    });
  });

  it('tells what made a rule fail, and shows the alerts that it had', async () => {
    const text = 'groups: [{ name: g, rules: [{ alert: A, expr: fast }, { record: b, expr: a }] }]';
    const own = file('rules/c.yaml', text);
    const app = createAlertApp({ files: own, values: { fast: 1, a: 1 } });
    await app.evaluate('a');
    own.splice(0, 1, ...file('rules/c.yaml', text.replace('expr: fast', 'expr: broken')));
    app.clock.nowMs += 60_000;
    await app.evaluate('a');
    const failed = { health: 'err', lastError: 'broken cannot be evaluated', state: 'firing', alerts: [{ state: 'firing' }] };
    expect((await app.get(path)).body).toMatchObject({ data: { groups: [{ rules: [failed, { health: 'ok' }] }] } });
  });
});

describe('/api/v1/alerts', () => {
  it('shows what is pending and what fires, and not what is over', async () => {
    const app = await createEvaluated();
    expect((await app.get('/api/v1/alerts')).body).toEqual({ status: 'success', data: { alerts: [slow, fast] } });
    delete app.values.fast;
    app.clock.nowMs += 60_000;
    await app.evaluate('a');
    expect((await app.get('/prometheus/api/v1/alerts')).body).toEqual({ status: 'success', data: { alerts: [slow] } });
  });
});

describe('a value in an alert', () => {
  it.each([
    [0, '0e+00'],
    [-0, '-0e+00'],
    [1, '1e+00'],
    [-12.25, '-1.225e+01'],
    [1e-7, '1e-07'],
    [1.5e300, '1.5e+300'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('of %d is written as %s', (value, text) => {
    expect(formatExponent(value)).toBe(text);
  });
});
