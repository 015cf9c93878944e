import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '#core/time.ts';
import { createDeps, type FunctionDeps } from '#functions/deps.ts';
import { asOf } from '#functions/lambda.ts';
import { loadFunction } from '#functions/registry.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import type { AlertsChanged } from '#model/events.ts';
import { seriesFromLabels } from '#model/series.ts';
import { createCallCounter } from '#ports/counted.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus, type MemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import { createReadCache } from '#storage/read-cache.ts';

const startMs = Date.parse('2026-11-23T12:00:00Z');
const rules = `groups:
  - name: hosts
    rules:
      - alert: Down
        expr: up == 0
        labels: { severity: page }
        annotations: { summary: '{{ $labels.instance }} is down' }
`;

/** The functions over memory, with a webhook on loopback, and the bus' rules as they are deployed. */
async function setUp(url: string, ruleFiles: Readonly<Record<string, string>>) {
  let nowMs = startMs;
  let ids = 0;
  const bus = createMemoryBus();
  const blobs = createMemoryBlobs();
  const counter = createCallCounter();
  const ports = {
    blobs: counter.countBlobs(blobs),
    table: counter.countTable(createMemoryTable()),
    bus,
    uploads: createMemoryUploads(blobs),
  };
  const files: Readonly<Record<string, string>> = {
    ...ruleFiles,
    'alertmanager.yml': `route: { receiver: hook, group_wait: 0s }\nreceivers: [{ name: hook, webhook_configs: [{ url: '${url}' }] }]\n`,
  };
  const config = await loadWholeConfig({ readFile: async (path) => files[path], list: async () => Object.keys(files).sort() });
  const deps: FunctionDeps = {
    ...createDeps(ports, config, {
      now: () => nowMs,
      observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
      cache: createReadCache(0),
      inlineBytes: 4_096,
      graceMs: MINUTE_MS,
      externalUrl: 'https://ops.example.org',
      allowPrivateTargets: true,
      pause: async () => {},
    }),
    newId: () => `id${ids++}`,
  };
  const invoke = async (name: string, event: Readonly<Record<string, unknown>> = {}) =>
    (await loadFunction(name))(asOf(deps, event), event) as Promise<Record<string, unknown>>;
  const connect = (to: MemoryBus) => {
    for (const rule of subscriptions) {
      to.subscribe(rule.pattern, async (event) => void (await invoke(rule.function, { detail: event.detail })));
    }
  };
  return {
    ...{ deps, bus, invoke, connect: () => connect(bus) },
    /** Requests to table and blobs that a minute by the schedules takes. */
    async countMinute() {
      nowMs += MINUTE_MS;
      const before = counter.counts();
      for (const name of ['alerts-evaluate', 'alerts-dispatch', 'alerts-correlate', 'alerts-deliver']) await invoke(name);
      const after = counter.counts();
      const read = after.tableReads - before.tableReads;
      return { read, written: after.tableWrites - before.tableWrites, put: after.blobPuts.standard - before.blobPuts.standard };
    },
    passMs: (ms: number) => {
      nowMs += ms;
    },
    /** `up` of instances, now. */
    async send(tenant: string, values: Readonly<Record<string, number>>) {
      const builder = new BatchBuilder();
      for (const [instance, value] of Object.entries(values)) {
        const series = seriesFromLabels([
          { name: '__name__', value: 'up' },
          { name: 'instance', value: instance },
        ]);
        builder.add(series, nowMs, value, 0);
      }
      const decoded = { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
      await ingestSamples(deps.ingest, { tenant, protocol: 'prometheus-text', decoded });
    },
  };
}

describe('the chain of the alert functions', () => {
  const received: { status: string; alerts: { labels: Record<string, string> }[] }[] = [];
  let server: Server;
  let chain: Awaited<ReturnType<typeof setUp>>;

  beforeEach(async () => {
    received.length = 0;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      received.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    chain = await setUp(`http://127.0.0.1:${(server.address() as { port: number }).port}/hook`, {
      'rules/hosts.yaml': rules,
      'rules/team-b/hosts.yaml': rules,
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const types = () => chain.bus.published.map(({ detailType, detail }) => [detailType, detail.tenant]);

  it('goes from a sample to the webhook with one start, by the rules of the bus', async () => {
    chain.connect();
    await chain.send('default', { a: 0, b: 1 });
    await chain.invoke('alerts-evaluate');
    await chain.bus.settle();
    expect(received).toMatchObject([{ status: 'firing', alerts: [{ labels: { alertname: 'Down', instance: 'a', severity: 'page' } }] }]);
    expect(types()).toEqual([
      ['Alerts Received', 'default'],
      ['Notifications Due', 'default'],
      ['Alerts Changed', 'default'],
    ]);
  });

  it('tells of what began and of what ended, once', async () => {
    chain.connect();
    for (const value of [0, 0, 1, 1]) {
      await chain.send('default', { a: value });
      await chain.invoke('alerts-evaluate');
      await chain.bus.settle();
      chain.passMs(5 * MINUTE_MS);
      await chain.invoke('alerts-dispatch');
      await chain.bus.settle();
    }
    const changes = chain.bus.published.filter(({ detailType }) => detailType === 'Alerts Changed').map(({ detail }) => detail);
    expect(
      (changes as AlertsChanged[]).map(({ firing, resolved, alerts }) => [firing, resolved, alerts.map((each) => each.status)]),
    ).toEqual([
      [1, 0, ['firing']],
      [0, 1, ['resolved']],
    ]);
    expect(changes[0]).toMatchObject({
      alerts: [{ annotations: { summary: 'a is down' }, endsAt: '0001-01-01T00:00:00Z' }],
      truncatedAlerts: 0,
    });
    expect(received.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  it('loses nothing with the events: the schedules go the same way', async () => {
    await chain.send('default', { a: 0 });
    for (const name of ['alerts-evaluate', 'alerts-dispatch', 'alerts-deliver', 'alerts-dispatch', 'alerts-deliver'])
      await chain.invoke(name);
    expect(received).toHaveLength(1);
  });

  it('does nothing more when events come again', async () => {
    chain.connect();
    await chain.send('default', { a: 0 });
    await chain.invoke('alerts-evaluate');
    await chain.bus.settle();
    const before = chain.bus.published.length;
    await chain.bus.publish(chain.bus.published);
    await chain.bus.settle();
    expect(received).toHaveLength(1);
    expect(chain.bus.published).toHaveLength(2 * before);
  });

  it('is silent while nothing changes', async () => {
    chain.connect();
    await chain.send('default', { a: 1 });
    await chain.invoke('alerts-evaluate');
    await chain.bus.settle();
    expect(types()).toEqual([]);
  });

  it('asks little while there is nothing to do', async () => {
    const idle = await setUp('http://127.0.0.1:9/', {});
    const nothing = await idle.countMinute();
    expect(nothing).toMatchObject({ written: 0, put: 0 });
    expect(nothing.read).toBeLessThanOrEqual(20);
    // Two tenants with a group each: a lease each, taken and given back, and where the group has come to.
    for (const tenant of ['default', 'team-b']) await chain.send(tenant, { a: 1 });
    await chain.countMinute();
    const unchanged = await chain.countMinute();
    expect(unchanged).toMatchObject({ written: 6, put: 0 });
    expect(unchanged.read).toBeLessThanOrEqual(48);
  });

  it('dispatches the tenant of an event alone, one without rules too, and a confined call its own tenant alone', async () => {
    for (const tenant of ['default', 'team-b']) await chain.send(tenant, { a: 0 });
    const { evaluations } = (await chain.invoke('alerts-evaluate', { onlyTenant: 'team-b' })) as { evaluations: { tenant: string }[] };
    expect(evaluations.map(({ tenant }) => tenant)).toEqual(['team-b']);
    await chain.invoke('alerts-evaluate');
    const dispatchedTo = async (event: Readonly<Record<string, unknown>>) =>
      ((await chain.invoke('alerts-dispatch', event)).dispatched as { tenant: string }[]).map(({ tenant }) => tenant);
    expect(await dispatchedTo({ detail: { tenant: 'nobody' } })).toEqual([]);
    expect(await dispatchedTo({ detail: { tenant: 'default' }, onlyTenant: 'team-b' })).toEqual(['team-b']);
    expect(await dispatchedTo({ detail: { tenant: 'default' } })).toEqual(['default']);
    await expect(dispatchedTo({ detail: {} })).rejects.toMatchObject({ kind: 'input' });
  });
});
