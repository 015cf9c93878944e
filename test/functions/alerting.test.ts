import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load-config.ts';
import { compileRules } from '#functions/alert-rules.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';

const filesOf = (files: Readonly<Record<string, string>>) => ({
  readFile: async (path: string) => files[path],
  list: async () => Object.keys(files).sort(),
});
const compile = async (files: Readonly<Record<string, string>>) => compileRules(await loadConfig(filesOf(files)));

const slo = (service: string, more = '') => `version: prometheus/v1
service: ${service}
${more}slos:
- name: requests
  objective: 99.9
  sli:
    events:
      error_query: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
      total_query: sum(rate(requests_total[{{.window}}]))
  alerting: { name: TooManyErrors, page_alert: { labels: { severity: page } }, ticket_alert: { disable: true } }
`;
const metric = (query: string) => `{ source: prometheus, queryType: promql, query: '${query}' }`;
const weekly = `apiVersion: openslo/v1alpha
kind: SLO
metadata: { name: requests }
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{ count: 7, unit: Day, isRolling: true }]
  objectives:
  - target: 0.99
    ratioMetrics: { good: ${metric('sum(rate(good[{{.window}}]))')}, total: ${metric('sum(rate(all[{{.window}}]))')} }
`;
const windows = `apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: { errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h }
    slow: { errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h }
  ticket:
    quick: { errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d }
    slow: { errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d }
`;

describe('the configuration of SLOs', () => {
  it('comes to groups that are evaluated, of the tenant whose folder they are in', async () => {
    const { groups, slos } = await compile({
      'slos/shop.yaml': slo('shop'),
      'slos/acme/shop.yml': slo('acme-shop'),
      'slos/deep/er/shop.yml': slo('unread'),
    });
    const names = (tenant: string) => groups.get(tenant)?.map(({ namespace, group }) => `${namespace} ${group.name}`);
    expect(names('default')).toEqual([
      'slos/shop.yaml sloth-slo-sli-recordings-shop-requests',
      'slos/shop.yaml sloth-slo-meta-recordings-shop-requests',
      'slos/shop.yaml sloth-slo-alerts-shop-requests',
    ]);
    expect(names('acme')).toHaveLength(3);
    expect([...slos].map(([tenant, own]) => [tenant, own.map((each) => each.slo.id)])).toEqual([
      ['acme', ['acme-shop-requests']],
      ['default', ['shop-requests']],
    ]);
  });

  it('takes windows of other periods from files of their own, and misses those of no file', async () => {
    const { slos } = await compile({ 'slos/windows.yaml': windows, 'slos/weekly.yaml': weekly });
    expect(slos.get('default')?.[0]?.windows).toMatchObject({ periodMs: 7 * 86_400_000, page: { quick: { errorBudgetPercent: 8 } } });
    const missing = 'slos/weekly.yaml: there are no alert windows for an SLO period of 7 days';
    expect((await compile({ 'slos/weekly.yaml': weekly })).problems).toEqual([missing]);
    expect((await compile({ 'slos/acme/windows.yaml': windows, 'slos/weekly.yaml': weekly })).problems).toEqual([missing]);
  });

  it.each([
    ['no SLO', { 'slos/a.yaml': 'version: prometheus/v1\nservice: x\n' }, /^slos\/a.yaml: 1:1: the file has no SLO$/m],
    ['an unknown form', { 'slos/a.yaml': 'version: v9\n' }, /^slos\/a.yaml: .*unknown version "v9"/m],
    [
      'a query that does not parse',
      { 'slos/a.yaml': slo('shop').replace('sum(rate(requests_total[{{.window}}]))', 'sum(rate(requests_total[{{.window}}])') },
      /^slos\/a.yaml: SLO shop-requests: group "sloth-slo-sli-recordings-shop-requests", rule 1, .*could not parse expression/m,
    ],
    [
      'windows that cannot be',
      { 'slos/w.yaml': windows.replace('shortWindow: 5m', 'shortWindow: 5h') },
      /^slos\/w.yaml: .*shorter than longWindow/m,
    ],
  ])('is refused with %s, by file', async (_, files, message) => {
    await expect(loadWholeConfig(filesOf(files))).rejects.toThrow(message);
  });
});
