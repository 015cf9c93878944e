import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readRuleGroup } from '#alerts/rules/rule-file.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { createAlertApp, NOW } from './alert-app.ts';

const PATH = '/prometheus/config/v1/rules';
const group = `name: first
interval: 30s
labels: { team: db }
rules:
# a comment
- alert: Down
  expr: up == 0
  for: 5m
  labels: { severity: page }
  annotations: { summary: "{{ $labels.job }} is down", number: 1.10 }
- record: job:up:sum
  expr: sum by (job) (up)
`;
const plain = {
  name: 'first',
  interval: '30s',
  labels: { team: 'db' },
  rules: [
    {
      alert: 'Down',
      expr: 'up == 0',
      for: '5m',
      labels: { severity: 'page' },
      annotations: { summary: '{{ $labels.job }} is down', number: '1.10' },
    },
    { record: 'job:up:sum', expr: 'sum by (job) (up)' },
  ],
};
const small = (name: string) => `name: ${name}\nrules: [{ alert: ${name}, expr: up == 0 }]\n`;
const fileGroup = { namespace: 'rules/a.yaml', group: readRuleGroup(small('first'), RULE_CHECKS).groups[0]! };

describe('Mimir’s ruler API', () => {
  it('takes groups, gives them as YAML that reads the same, and deletes them', async () => {
    const app = createAlertApp();
    const posted = await app.post(`${PATH}/my%2Fspace`, group);
    expect([posted.status, posted.body]).toEqual([202, { status: 'success', data: null, errorType: '', error: '' }]);
    await app.post(`${PATH}/my%2Fspace`, small('second'));
    await app.post(`${PATH}/other`, small('first'));
    expect(parse((await app.get(PATH)).text)).toMatchObject({ 'my/space': [plain, { name: 'second' }], other: [{ name: 'first' }] });
    expect(Object.keys(parse((await app.get(`${PATH}/other`)).text))).toEqual(['other']);
    const one = await app.get(`${PATH}/my%2Fspace/first`);
    expect(parse(one.text)).toEqual(plain);
    expect(readRuleGroup(one.text, RULE_CHECKS)).toEqual(readRuleGroup(group, RULE_CHECKS));
    expect((await app.ask('DELETE', `${PATH}/my%2Fspace/second`)).status).toBe(202);
    expect((await app.ask('DELETE', `${PATH}/other`)).status).toBe(202);
    expect(Object.keys(parse((await app.get(PATH)).text))).toEqual(['my/space']);
  });

  it.each([
    ['GET', '', 'no rule groups found\n'],
    ['GET', '/none', 'no rule groups found\n'],
    ['GET', '/none/first', 'group does not exist\n'],
    ['DELETE', '/none', 'no rule groups found\n'],
    ['DELETE', '/none/first', 'group does not exist\n'],
  ])('answers 404 to %s %s where there is none', async (method, path, text) => {
    const answer = await createAlertApp().ask(method, `${PATH}${path}`);
    expect([answer.status, answer.text]).toEqual([404, text]);
  });

  it.each([
    ['nothing', '', 400, /there is no rule group/],
    ['no mapping', '- 1', 400, /^1:1: /],
    ['no name', 'rules: []', 400, /Groupname must not be empty/],
    ['a bad expression', small('x').replace('up ==', 'sum('), 400, /^2:\d+: group "x", rule 1, "x": could not parse expression: /],
    ['a bad template', 'name: x\nrules: [{ alert: x, expr: up, annotations: { a: "{{ $nothing }}" } }]', 400, /annotation "a": /],
    ['an unknown field', `${small('x')}source_tenants: [b]\n`, 400, /source_tenants/],
    ['a large group', `${small('x')}# ${'x'.repeat(350_000)}`, 413, /more than 350000 bytes/],
    ['a larger body', ' '.repeat(1024 * 1024 + 1), 413, /larger than/],
    ['a long name', small('x'.repeat(1_025)), 413, /more than 1024 bytes/],
  ])('refuses %s', async (_, body, status, message) => {
    const app = createAlertApp();
    const answer = await app.post(`${PATH}/space`, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(message);
    expect((await app.get(PATH)).status).toBe(404);
  });

  it('refuses the name that a file of the configuration has, and names both', async () => {
    const app = createAlertApp({ files: [fileGroup] });
    const answer = await app.post(`${PATH}/rules%2Fa.yaml`, group);
    expect(answer.status).toBe(409);
    expect(answer.text).toMatch(/group "first" is both in the file rules\/a.yaml of the configuration and in the namespace rules\/a.yaml/);
    expect((await app.post(`${PATH}/rules%2Fa.yaml`, small('second'))).status).toBe(202);
  });

  it('has its groups evaluated, changed and retired as those of files are', async () => {
    const app = createAlertApp({ values: { 'up == 0': 0 } });
    await app.post(`${PATH}/space`, small('Down'));
    const names = async () => ((await app.get('/alertmanager/api/v2/alerts')).body as { labels: object }[]).map(({ labels }) => labels);
    expect((await app.evaluate('a')).evaluations).toMatchObject([{ namespace: 'space', group: 'Down', changes: 1 }]);
    expect(await names()).toEqual([{ alertname: 'Down', job: 'a' }]);
    app.clock.nowMs += 60_000;
    await app.post(`${PATH}/space`, small('Down').replace('alert: Down', 'alert: Renamed'));
    await app.evaluate('a');
    expect(await names()).toEqual([{ alertname: 'Renamed', job: 'a' }]);
    app.clock.nowMs += 60_000;
    await app.ask('DELETE', `${PATH}/space`);
    await app.evaluate('a');
    expect(await names()).toEqual([]);
  });

  it('leaves the file’s group in force where one appears later under the same name, and warns of it', async () => {
    const files: (typeof fileGroup)[] = [];
    const app = createAlertApp({ files });
    await app.post(`${PATH}/rules%2Fa.yaml`, group);
    files.push(fileGroup);
    const { body } = await app.get('/api/v1/rules');
    expect(body).toMatchObject({
      data: { groups: [{ name: 'first', rules: [{ name: 'first' }] }] },
      warnings: [expect.stringContaining('written by API: the file')],
    });
  });

  it('keeps the last of two groups of one name that come at once, and its version counts both', async () => {
    const app = createAlertApp();
    await Promise.all([1, 2, 3].map((i) => app.post(`${PATH}/space`, `${small('x')}interval: ${i}m\n`)));
    const { items } = await app.table.query({ pk: 'alerts/rules/a' });
    expect(items).toMatchObject([{ namespace: 'space', name: 'x', version: 3, updatedAtMs: NOW }]);
    expect(await app.table.get({ pk: 'alerts/rulers', sk: 'a' })).toMatchObject({ version: 3 });
  });

  it('takes no more than a thousand groups of a tenant, but changes of those', async () => {
    const app = createAlertApp();
    await app.post(`${PATH}/space`, small('x'));
    await app.table.batch(
      Array.from({ length: 999 }, (_, i) => ({
        kind: 'put' as const,
        item: { pk: 'alerts/rules/a', sk: `more${i}`, namespace: 'more', name: `${i}`, text: small('y'), version: 1, updatedAtMs: NOW },
      })),
    );
    expect((await app.post(`${PATH}/space`, small('y'))).status).toBe(413);
    expect((await app.post(`${PATH}/space`, small('x'))).status).toBe(202);
    expect((await app.post(`${PATH}/space`, small('y'), 'all-b')).status).toBe(202);
  });
});
