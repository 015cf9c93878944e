import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { startServer } from '#local/serve.ts';
import { freePort } from '#test/aws/free-port.ts';
import { debianProgram } from '#test/debian.ts';

const prometheus = debianProgram('prometheus', 'prometheus');
const missing = prometheus === undefined ? ' (no Prometheus: test/debian.sh unpack prometheus fetches it on Debian)' : '';

interface Told {
  readonly status: string;
  readonly groupKey: string;
  readonly alerts: {
    readonly labels: Record<string, string>;
    readonly status: string;
    readonly generatorURL: string;
    readonly fingerprint: string;
  }[];
}

/** A webhook that remembers what it is told. */
async function startWebhook() {
  const told: Told[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      told.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { told, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, close: () => server.close() };
}

/** A Prometheus whose one rule fires while a file says so; it is told of changes by a signal. */
async function startPrometheus(folder: string, alertmanager: string) {
  const port = await freePort();
  const setRule = (expr: string) =>
    writeFile(
      join(folder, 'rules.yml'),
      JSON.stringify({ groups: [{ name: 'g', rules: [{ alert: 'Outside', expr, labels: { severity: 'page' } }] }, rules] }),
    );
  await setRule('vector(1)');
  await writeFile(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { evaluation_interval: '1s', external_labels: { cluster: 'outside' } },
      rule_files: ['rules.yml'],
      alerting: { alertmanagers: [{ path_prefix: '/alertmanager', static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    }),
  );
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/tsdb`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--rules.alert.resend-delay=1s',
  ];
  const child = spawn(prometheus as string, args, { stdio: 'ignore' });
  return {
    url: `http://127.0.0.1:${port}`,
    async change(expr: string) {
      await setRule(expr);
      child.kill('SIGHUP');
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const rules = {
  name: 'compared',
  interval: '1s',
  rules: [
    { alert: 'Pending', expr: 'vector(-0.5)', for: '1h', labels: { severity: 'mail' }, annotations: { text: 'is {{ $value }}' } },
    { alert: 'Quiet', expr: 'vector(1) > 2', keep_firing_for: '5m' },
    { record: 'recorded:one', expr: 'vector(1)', labels: { kind: 'one' } },
    { record: 'recorded:plain', expr: 'sum(vector(2))by(a)' },
    {
      alert: 'Broken',
      expr: 'label_replace(vector(1), "a", "b", "", "") / on() (vector(1) or label_replace(vector(1), "a", "b", "", ""))',
    },
  ],
};

/** The same group there from its file and here by the ruler's API gives the same answers, but for times and where it stands. */
async function sameRules(here: string, there: string): Promise<void> {
  const posted = await fetch(`${here}/prometheus/config/v1/rules/own`, { method: 'POST', body: JSON.stringify(rules) });
  expect(posted.status).toBe(202);
  const read = async (url: string, path: string) =>
    JSON.parse(await (await fetch(`${url}/api/v1/${path}`)).text(), (key, value) =>
      ['evaluationTime', 'lastEvaluation', 'activeAt', 'file'].includes(key) ? typeof value : value,
    );
  const rulesOf = async (url: string) =>
    (await read(url, 'rules')).data.groups.find(({ name }: { name: string }) => name === 'compared') as {
      rules: { name: string; health: string; lastError?: string }[];
    };
  await waitFor('the rules evaluated at both', async () =>
    (await Promise.all([rulesOf(here), rulesOf(there)])).every((group) => group?.rules.every(({ health }) => health !== 'unknown')),
  );
  const [ours, theirs] = [await rulesOf(here), await rulesOf(there)];
  expect(theirs.rules.at(-1)?.health).toBe('err');
  expect(ours).toEqual(theirs);
  const alertsOf = async (url: string) =>
    (await read(url, 'alerts')).data.alerts.filter(({ labels }: { labels: Record<string, string> }) => labels.alertname !== 'Outside');
  expect(await alertsOf(here)).toEqual(await alertsOf(there));
}

async function waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 40_000; Date.now() < endMs; await sleep(100)) if (await holds()) return;
  throw new Error(`not within 40 s: ${what}`);
}

describe.skipIf(prometheus === undefined)(`Debian's Prometheus, sending its alerts here${missing}`, () => {
  it('has them told to a webhook, firing and resolved, and explained', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-outside-'));
    const hook = await startWebhook();
    await mkdir(join(folder, 'config'));
    const route = { receiver: 'hook', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' };
    const config = { route, receivers: [{ name: 'hook', webhook_configs: [{ url: hook.url }] }] };
    await writeFile(join(folder, 'config', 'alertmanager.yml'), JSON.stringify(config));
    const variables = { PORT: '0', QUARTERDECK_DATA: join(folder, 'data'), QUARTERDECK_CONFIG: join(folder, 'config') };
    const settings = readSettings({ ...variables, QUARTERDECK_SELF: 'off', QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on' });
    const server = await startServer(settings, () => {});
    const peer = await startPrometheus(folder, server.url);
    try {
      await waitFor('the alert at the webhook', () => hook.told.length > 0);
      const [first] = hook.told as [Told];
      expect(first).toMatchObject({
        status: 'firing',
        groupKey: '{}:{alertname="Outside"}',
        alerts: [{ status: 'firing', labels: { alertname: 'Outside', severity: 'page', cluster: 'outside' } }],
      });
      expect(first.alerts[0]?.generatorURL).toMatch(/^http:\/\/.*vector/);
      const explain = async () =>
        (await (await fetch(`${server.url}/api/alerts/${first.alerts[0]?.fingerprint}/explain`)).json()) as {
          state: string;
          routes: { integrations: { tries: { outcome: string }[]; told: object }[] }[];
        };
      // the webhook answers before its delivery is settled
      await waitFor('the delivery as sent', async () => (await explain()).routes[0]?.integrations[0]?.tries.length === 1);
      expect(await explain()).toMatchObject({
        state: 'active',
        rule: null,
        routes: [{ receiver: 'hook', integrations: [{ told: { as: 'firing' }, tries: [{ outcome: 'sent', attempts: 1 }] }] }],
      });
      await sameRules(server.url, peer.url);
      await peer.change('vector(1) > 1');
      await waitFor('its end at the webhook', () => hook.told.at(-1)?.status === 'resolved');
      expect(hook.told.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    } finally {
      await peer.stop();
      await server.close();
      hook.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
