import { describe, expect, it } from 'vitest';
import { asOf } from '#functions/lambda.ts';
import { loadFunction } from '#functions/registry.ts';
import { createWholeApi, NOW, type WholeApi } from './whole-api.ts';

const minute = 60_000;
const detectors = `
groups:
  - name: hosts
    interval: 1m
    labels: {team: ops}
    detectors:
      - alert: HostGone
        kind: pattern
        by: [instance]
        heartbeat: {name: the host, expr: up, missing_for: 1m}
      - alert: Ambiguous
        kind: pattern
        by: []
        stuck: {expr: up, for: 1m}
      - {kind: anomaly, alert: Odd, expr: up == 1, expected_interval: 1m, reasons: [missing-data, spike]}
`;
const files = {
  'tenants.yaml': 'tenants:\n  a: {}\n  b: {}\n',
  'detectors/a/hosts.yaml': detectors,
};
const tokens = ['ta=a:ingest+query', 'tb=b:ingest+query', 'ti=a:ingest'];

async function store(api: WholeApi, token: string, lines: readonly string[]): Promise<void> {
  const { status, text } = await api.ask('/api/v1/import/prometheus', {
    token,
    headers: { 'content-type': 'text/plain' },
    body: `${lines.join('\n')}\n`,
  });
  if (status >= 300) throw new Error(text);
}

async function run(api: WholeApi, atMs: number): Promise<void> {
  const event = { at: new Date(atMs).toISOString() };
  for (const name of ['alerts-evaluate', 'alerts-dispatch', 'alerts-correlate'])
    await (await loadFunction(name))(asOf(api.deps, event), event);
}

async function read(api: WholeApi, path: string, token: string) {
  const { status, text } = await api.ask(path, { token });
  return { status, body: JSON.parse(text) };
}

describe('/api/detectors', () => {
  it('lists what is detected, with what the last evaluation left, to the tenant alone', async () => {
    const api = await createWholeApi({ config: files, tokens });
    const before = await read(api, '/api/detectors', 'ta');
    expect(before.body.detectors).toHaveLength(3);
    expect(before.body.detectors[0]).toMatchObject({ name: 'HostGone', error: '', state: { labelSets: 0, pending: 0, firing: 0 } });
    await store(
      api,
      'ta',
      ['x', 'y'].map((instance) => `up{instance="${instance}"} 1 ${NOW}`),
    );
    await store(api, 'ta', [`up{instance="x"} 1 ${NOW + 6 * minute}`]);
    for (const after of [0, 6, 7]) await run(api, NOW + after * minute);
    const { body } = await read(api, '/api/detectors', 'ta');
    expect(body.detectors).toMatchObject([
      {
        name: 'HostGone',
        file: 'detectors/a/hosts.yaml',
        group: 'hosts',
        kind: 'pattern',
        pattern: 'heartbeat',
        conditions: [{ name: 'the host', expr: 'up' }],
        by: ['instance'],
        labels: { team: 'ops' },
        intervalSeconds: 60,
        evaluatedAt: new Date(NOW + 7 * minute).toISOString(),
        error: '',
        state: { labelSets: 2, pending: 0, firing: 1 },
      },
      { name: 'Ambiguous', state: { labelSets: 1 } },
      {
        name: 'Odd',
        kind: 'anomaly',
        expr: 'up == 1',
        score: 0.9,
        reasons: ['missing-data', 'spike'],
        expectedIntervalSeconds: 60,
        forgetAfterSeconds: 604_800,
        band: { score: 'Odd:anomaly_score', low: 'Odd:anomaly_low', high: 'Odd:anomaly_high' },
        state: { labelSets: 2, pending: 0, firing: 1 }, // y is missing
      },
    ]);
    const band = await read(api, `/api/v1/query?query=Odd:anomaly_score&time=${(NOW + 7 * minute) / 1_000}`, 'ta');
    expect(band.body.data.result).toMatchObject([{ metric: { instance: 'x' }, value: [expect.anything(), '0'] }]);
    expect((await read(api, '/api/detectors', 'tb')).body).toEqual({ detectors: [] });
    expect((await read(api, '/api/detectors', 'ti')).status).toBe(403);
  });

  it('says why a detector failed', async () => {
    const api = await createWholeApi({ config: files, tokens });
    await store(
      api,
      'ta',
      ['x', 'y'].map((instance) => `up{instance="${instance}"} 1 ${NOW}`),
    );
    await run(api, NOW);
    const { body } = await read(api, '/api/detectors', 'ta');
    expect(body.detectors[1].error).toContain('up: several series have the labels {}');
  });

  it('is nothing where the file is wrong, which is said with its place', async () => {
    const api = await createWholeApi({
      config: { 'detectors/x.yaml': 'groups:\n  - name: g\n    detectors: [{kind: odd}]\n', 'incidents.yaml': 'window: long\n' },
    });
    const { status, text } = await api.ask('/api/detectors');
    expect(status).toBe(400);
    expect(JSON.parse(text).error.message).toMatch(
      /detectors\/x\.yaml:3:\d+: .*kind takes: pattern, anomaly\nincidents\.yaml:1:9: window: must be a duration/s,
    );
  });
});

describe('/api/incidents', () => {
  const rules = 'groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]\n';
  const both = { 'tenants.yaml': files['tenants.yaml'], 'rules/a/r.yaml': rules };

  it('lists and shows incidents to the tenant alone', async () => {
    const api = await createWholeApi({ config: both, tokens });
    await store(
      api,
      'ta',
      ['x', 'y'].map((instance) => `up{instance="${instance}"} 0 ${NOW}`),
    );
    await run(api, NOW);
    const { body } = await read(api, '/api/incidents', 'ta');
    expect(body.incidents).toMatchObject([{ status: 'open', title: 'Down and 1 more alert', alerts: 2, firing: 2 }]);
    const path = `/api/incidents/${body.incidents[0].id}`;
    const one = await read(api, path, 'ta');
    expect(one.body).toMatchObject({
      history: [{ kind: 'opened' }],
      members: [{ labels: { instance: 'x' } }, { labels: { instance: 'y' } }],
      truncatedMembers: 0,
    });
    expect((await read(api, path, 'tb')).status).toBe(404);
    expect((await read(api, '/api/incidents', 'tb')).body).toEqual({ incidents: [] });
    expect((await read(api, '/api/incidents', 'ti')).status).toBe(403);
  });

  const refused = ['/api/incidents?status=odd', '/api/incidents?status=closed&limit=0', '/api/incidents?status=closed&limit=x'];
  it.each(refused)('refuses %s', async (path) => {
    const api = await createWholeApi();
    expect((await api.ask(path)).status).toBe(400);
  });

  it('has nothing of an unknown id, or of any where nothing ever was', async () => {
    const api = await createWholeApi();
    expect((await api.ask('/api/incidents/nope')).status).toBe(404);
    expect(JSON.parse((await api.ask('/api/incidents?status=closed&limit=5&after=x')).text)).toEqual({ incidents: [] });
  });
});
