import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { startServer } from '#local/serve.ts';

const slo = `version: prometheus/v1
service: shop
slos:
- name: requests
  objective: 99
  sli:
    events:
      error_query: sum(rate(requests_total{code="500"}[{{.window}}]))
      total_query: sum(rate(requests_total[{{.window}}]))
  alerting: { name: TooManyErrors, page_alert: { labels: { severity: page } }, ticket_alert: { disable: true } }
`;

it('records what an SLO file asks for, tells its burn rates, and alerts by them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-slo-'));
  mkdirSync(join(folder, 'slos'));
  writeFileSync(join(folder, 'slos', 'shop.yaml'), slo);
  const variables = { PORT: '0', QUARTERDECK_DATA: join(folder, 'data'), QUARTERDECK_CONFIG: folder };
  const server = await startServer(readSettings({ ...variables, QUARTERDECK_SCHEDULES: 'off', QUARTERDECK_SELF: 'off' }), () => {});
  try {
    // One request of five fails, for the last ten minutes: twenty times what 99 % allows.
    const startMs = Date.now() - 600_000;
    const line = (code: string, perStep: number) => {
      const steps = Array.from({ length: 21 }, (_, i) => i);
      const series = { metric: { __name__: 'requests_total', code }, values: steps.map((i) => i * perStep) };
      return JSON.stringify({ ...series, timestamps: steps.map((i) => startMs + i * 30_000) });
    };
    const sent = await fetch(`${server.url}/api/v1/import`, { method: 'POST', body: `${line('200', 80)}\n${line('500', 20)}\n` });
    expect(sent.status).toBe(204);
    const invoke = (name: string) => fetch(`${server.url}/2015-03-31/functions/${name}/invocations`, { method: 'POST' });
    const evaluated = (await (await invoke('alerts-evaluate')).json()) as { evaluations: { namespace: string; errors: string[] }[] };
    expect(evaluated.evaluations.map(({ namespace, errors }) => [namespace, errors])).toEqual(Array(3).fill(['slos/shop.yaml', []]));
    const { slos } = (await (await fetch(`${server.url}/api/slo`)).json()) as { slos: Record<string, number>[] };
    expect(slos).toMatchObject([{ id: 'shop-requests', exhaustion: 'exhausted', secondsToExhaustion: 0 }]);
    expect(slos[0]?.currentBurnRate).toBeCloseTo(20, 3);
    expect(slos[0]?.budgetRemaining).toBeCloseTo(-19, 3);
    const alerts = (await (await fetch(`${server.url}/alertmanager/api/v2/alerts`)).json()) as { labels: object }[];
    expect(alerts.map(({ labels }) => labels)).toMatchObject([{ alertname: 'TooManyErrors', sloth_slo: 'requests', severity: 'page' }]);
    const rules = (await (await fetch(`${server.url}/api/v1/rules?file[]=slos/shop.yaml&type=alert`)).json()) as {
      data: { groups: object[] };
    };
    expect(rules.data.groups).toMatchObject([{ rules: [{ name: 'TooManyErrors', state: 'firing', health: 'ok' }] }]);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
