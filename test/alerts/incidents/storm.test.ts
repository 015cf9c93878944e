import { describe, expect, it } from 'vitest';
import { decodePlanned, listBatches } from '#alerts/deliver/delivery-batch.ts';
import { unpackBytes } from '#alerts/packed-bytes.ts';
import { asOf } from '#functions/lambda.ts';
import { loadFunction } from '#functions/registry.ts';
import type { BusEvent } from '#ports/bus.ts';
import { createWholeApi, NOW, type WholeApi } from '#test/api/whole-api.ts';

const COUNT = 5_000;
const minute = 60_000;

/** Alerts that are told one by one where nothing holds them back. */
const alertmanager = (waitS: number) => `
route:
  receiver: chat
  group_by: ['...']
  group_wait: ${waitS}s
  group_interval: 1m
receivers:
  - name: chat
    webhook_configs: [{url: 'https://chat.example/hook'}]
inhibit_rules:
  - source_matchers: ['alertname="Incident"']
    target_matchers: ['alertname!="Incident"']
    equal: [incident]
`;
const rules = `
groups:
  - name: g
    interval: 1m
    rules:
      - {alert: PodDown, expr: 'up == 0', labels: {severity: warning}}
      - {alert: NodeDown, expr: 'node_up == 0', labels: {severity: critical}}
      - {alert: DiskFull, expr: 'disk_full == 1'}
`;

interface Told {
  readonly alertname: string;
  readonly severity: string | undefined;
  readonly status: 'firing' | 'resolved';
}

/** Everything that is on its way to people, in order. */
async function readDeliveries({ deps }: WholeApi): Promise<Told[]> {
  const batches = await listBatches(deps.table, undefined);
  const planned = await Promise.all(batches.map(async ({ packed }) => decodePlanned((await unpackBytes(deps, packed)) as Uint8Array)));
  return planned.flat().map(({ alerts, atMs }): Told => {
    const [alert] = alerts;
    return {
      alertname: alert?.labels.alertname ?? '',
      severity: alert?.labels.severity,
      status: (alert?.endsAtMs ?? 0) <= atMs ? 'resolved' : 'firing',
    };
  });
}

function readEvents(api: WholeApi): BusEvent[] {
  const { items } = api.deps.table as unknown as { items(): { pk: string; event?: string }[] };
  return items()
    .filter(({ pk }) => pk === 'outbox')
    .map(({ event }) => JSON.parse(event as string) as BusEvent)
    .filter(({ detailType }) => detailType.startsWith('Incident'));
}

async function store(api: WholeApi, lines: readonly string[]): Promise<void> {
  const { status, text } = await api.ask('/api/v1/import/prometheus', {
    headers: { 'content-type': 'text/plain' },
    body: `${lines.join('\n')}\n`,
  });
  if (status >= 300) throw new Error(text);
}

/** A node that fails with all of its pods, beside a disk that has nothing to do with it. */
function fault(value: 0 | 1, tsMs: number): string[] {
  const pods = Array.from({ length: COUNT - 1 }, (_, i) => `up{cluster="c1",node="n1",pod="p${i}"} ${value} ${tsMs}`);
  return [...pods, `node_up{cluster="c1",node="n1"} ${value} ${tsMs}`, `disk_full{host="db7"} 1 ${tsMs}`];
}

async function runAt(api: WholeApi, atMs: number, names: readonly string[]): Promise<void> {
  const event = { at: new Date(atMs).toISOString() };
  for (const name of names) await (await loadFunction(name))(asOf(api.deps, event), event);
}

const wholeRun = ['alerts-evaluate', 'alerts-dispatch'];

describe('a storm of 5,000 alerts from one fault', () => {
  it('is one incident and one notification, and one more when it is over', async () => {
    const config = { 'rules/a.yaml': rules, 'alertmanager.yml': alertmanager(0), 'incidents.yaml': 'alert: true\nresolve_after: 2m\n' };
    const api = await createWholeApi({ config });
    await store(api, fault(0, NOW));
    await runAt(api, NOW, wholeRun);
    const told = await readDeliveries(api);
    expect(told.map(({ alertname, status }) => `${alertname} ${status}`).sort()).toEqual(['DiskFull firing', 'Incident firing']);
    expect(told.find(({ alertname }) => alertname === 'Incident')?.severity).toBe('critical');
    const [opened, ...others] = readEvents(api);
    expect(others).toEqual([]);
    expect(opened).toMatchObject({ source: 'quarterdeck.alerts', detailType: 'Incident Opened' });
    expect(opened?.detail).toMatchObject({
      alerts: COUNT,
      severity: 'critical',
      labels: { cluster: 'c1', node: 'n1' },
      names: { PodDown: COUNT - 1, NodeDown: 1 },
    });
    const [cause] = (opened as BusEvent).detail.causes as { labels: Record<string, string>; sentence: string }[];
    expect(cause?.labels.alertname).toBe('NodeDown');
    expect(cause?.sentence).toContain('its labels are shared by 100 % of the other alerts');

    await runAt(api, NOW + minute, wholeRun); // nothing new, nobody is told
    expect(await readDeliveries(api)).toHaveLength(2);

    const list = await api.ask('/api/incidents');
    const { incidents } = JSON.parse(list.text) as { incidents: { id: string }[] };
    expect(incidents).toMatchObject([{ status: 'open', alerts: COUNT, firing: COUNT, title: 'NodeDown and 4999 more alerts of 2 kinds' }]);
    const one = JSON.parse((await api.ask(`/api/incidents/${incidents[0]?.id}`)).text);
    expect(one).toMatchObject({ truncatedMembers: COUNT - 1_000, history: [{ kind: 'opened', alerts: COUNT }] });

    await store(api, fault(1, NOW + 2 * minute));
    for (const after of [2, 3, 4, 5]) await runAt(api, NOW + after * minute, wholeRun);
    const after = (await readDeliveries(api)).map(({ alertname, status }) => `${alertname} ${status}`);
    expect(after.slice(2)).toEqual(['Incident resolved']);
    expect(
      readEvents(api)
        .map(({ detailType }) => detailType)
        .sort(),
    ).toEqual(['Incident Opened', 'Incident Resolved']);
    expect(JSON.parse((await api.ask('/api/incidents')).text)).toEqual({ incidents: [] });
    const closed = JSON.parse((await api.ask('/api/incidents?status=closed')).text);
    expect(closed.incidents).toMatchObject([{ id: incidents[0]?.id, status: 'resolved', alerts: COUNT, firing: 0 }]);
    expect(JSON.parse((await api.ask(`/api/incidents/${incidents[0]?.id}`)).text).history.at(-1)).toMatchObject({ kind: 'resolved' });
    expect(api.defects).toEqual([]);
  }, 60_000);

  it('is told alert by alert where incidents are no alerts', async () => {
    const api = await createWholeApi({ config: { 'rules/a.yaml': rules, 'alertmanager.yml': alertmanager(0) } });
    await store(api, fault(0, NOW).slice(-20));
    await runAt(api, NOW, wholeRun);
    expect((await readDeliveries(api)).filter(({ alertname }) => alertname === 'PodDown')).toHaveLength(18);
    expect(readEvents(api)).toHaveLength(1);
  });

  it('is told alert by alert where incidents cannot be had', async () => {
    const config = {
      'rules/a.yaml': rules,
      'alertmanager.yml': alertmanager(0).split('inhibit_rules')[0] as string,
      'incidents.yaml': 'alert: true\n',
    };
    const api = await createWholeApi({ config });
    await api.deps.table.put({ pk: 'alerts/incidents', sk: 'default', version: 1, commitId: '', seen: 0, body: new Uint8Array([1, 2, 3]) });
    await store(api, fault(0, NOW).slice(-20));
    await expect(runAt(api, NOW, wholeRun)).rejects.toThrow('the incident book is damaged');
    expect(await readDeliveries(api)).toHaveLength(20);
  });

  it('keeps to one incident where two look at once, or one dies before it commits', async () => {
    const api = await createWholeApi({ config: { 'rules/a.yaml': rules, 'incidents.yaml': 'alert: true\n' } });
    await store(api, fault(0, NOW).slice(-20));
    await runAt(api, NOW, ['alerts-evaluate']);
    const { deps } = api;
    const broken = { ...deps.table, transact: () => Promise.reject(new Error('died')) };
    await expect((await loadFunction('alerts-correlate'))({ ...deps, table: broken }, {})).rejects.toThrow('died');
    expect(readEvents(api)).toEqual([]);
    await Promise.all([runAt(api, NOW, ['alerts-correlate']), runAt(api, NOW, ['alerts-dispatch'])]);
    await runAt(api, NOW, wholeRun);
    expect(readEvents(api)).toHaveLength(1);
  });
});
