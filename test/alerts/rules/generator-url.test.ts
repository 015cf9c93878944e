import { expect, it } from 'vitest';
import { readRuleFile } from '#alerts/rules/rule-file.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { createAlertApp } from '#test/api/alerts/alert-app.ts';

const text = (annotation: string) => `groups:
- name: g
  rules:
  - { alert: Slow, expr: slow > 1, labels: { severity: mail }, annotations: { a: ${annotation} } }
  - { alert: Slow, expr: slow > 2, labels: { severity: page }, annotations: { a: ${annotation} } }
`;

it('leads from each alert to the expression of its own rule, where two have the same name', async () => {
  const files = readRuleFile(text('one'), RULE_CHECKS).groups.map((group) => ({ namespace: 'rules/a.yaml', group }));
  const app = createAlertApp({ files, values: { 'slow > 1': 3, 'slow > 2': 3 } });
  const urls = async () => {
    const shown = (await app.get('/alertmanager/api/v2/alerts')).body as { labels: Record<string, string>; generatorURL: string }[];
    return shown.map(({ labels, generatorURL }) => [labels.severity, new URL(generatorURL).searchParams.get('g0.expr')]).sort();
  };
  const expected = [
    ['mail', 'slow > 1'],
    ['page', 'slow > 2'],
  ];
  await app.evaluate('a');
  expect(await urls()).toEqual(expected);
  files.splice(0, 1, ...readRuleFile(text('two'), RULE_CHECKS).groups.map((group) => ({ namespace: 'rules/a.yaml', group })));
  app.clock.nowMs += 60_000;
  await app.evaluate('a');
  expect(await urls()).toEqual(expected);
});
