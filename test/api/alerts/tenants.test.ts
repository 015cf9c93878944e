import { describe, expect, it } from 'vitest';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { createAlertApp, NOW } from './alert-app.ts';

const V2 = '/alertmanager/api/v2';
const RULER = '/prometheus/config/v1/rules';
const group = 'name: g\nrules: [{ alert: Secret, expr: up == 0 }]\n';
const silence = {
  matchers: [{ name: 'alertname', value: '.+', isRegex: true }],
  startsAt: new Date(NOW).toISOString(),
  endsAt: new Date(NOW + 600_000).toISOString(),
  createdBy: 'a',
  comment: 'secret',
};
const posted = [{ labels: { alertname: 'Secret', tenant: 'a' } }];
const fingerprint = fingerprintLabels({ alertname: 'Secret', job: 'a' });

/** Tenant a has alerts, told and of a rule; silences; and rules: all evaluated and dispatched. */
async function createOfA() {
  const app = createAlertApp({ values: { 'up == 0': 0 } });
  await app.post(`${V2}/alerts`, posted);
  await app.post(`${RULER}/space`, group);
  await app.evaluate('a', 'b');
  await app.dispatch('a', 'b');
  const { silenceID } = (await app.post(`${V2}/silences`, silence)).body as { silenceID: string };
  return { ...app, silenceID };
}

/** Everything that tenant a sees. */
async function seen(app: Awaited<ReturnType<typeof createOfA>>) {
  const paths = [`${V2}/alerts`, `${V2}/silences`, RULER, '/api/v1/rules', '/api/v1/alerts', `/api/alerts/${fingerprint}/explain`];
  return Promise.all(paths.map((path) => app.get(path)));
}

describe('another tenant', () => {
  it('sees nothing of a tenant’s alerts, silences and rules on any path', async () => {
    const app = await createOfA();
    const empty = [
      `${V2}/alerts`,
      `${V2}/alerts/groups`,
      `${V2}/silences`,
      `${V2}/silence/${app.silenceID}`,
      RULER,
      `${RULER}/space`,
      `${RULER}/space/g`,
      '/api/v1/rules',
      '/api/v1/alerts',
      '/prometheus/api/v1/rules',
      '/prometheus/api/v1/alerts',
      `/api/alerts/${fingerprint}/explain`,
      '/api/slo',
    ];
    for (const path of empty) {
      const answer = await app.get(path, 'all-b');
      expect([path, answer.text]).toEqual([path, expect.not.stringMatching(/Secret|secret|space/)]);
      expect([path, [200, 404].includes(answer.status)]).toEqual([path, true]);
    }
    const shown = (await seen(app)).map(({ text }) => text).join('');
    for (const word of ['Secret', 'secret', 'space']) expect(shown).toContain(word);
  });

  it('changes nothing of them', async () => {
    const app = await createOfA();
    const before = (await seen(app)).map(({ body }) => body);
    await app.post(`${V2}/alerts`, [{ ...posted[0], endsAt: new Date(NOW).toISOString() }], 'all-b');
    expect((await app.post(`${V2}/silences`, { ...silence, id: app.silenceID }, 'all-b')).status).toBe(404);
    expect((await app.ask('DELETE', `${V2}/silence/${app.silenceID}`, undefined, 'all-b')).status).toBe(404);
    await app.post(`${RULER}/space`, group.replace('Secret', 'Other'), 'all-b');
    await app.ask('DELETE', `${RULER}/space/g`, undefined, 'all-b');
    await app.post(`${RULER}/space`, group.replace('Secret', 'Other'), 'all-b');
    await app.evaluate('b');
    await app.dispatch('b');
    expect((await seen(app)).map(({ body }) => body)).toEqual(before);
  });

  it('is not silenced by a tenant’s silence', async () => {
    const app = await createOfA();
    await app.post(`${V2}/alerts`, posted, 'all-b');
    expect((await app.get(`${V2}/alerts`, 'all-b')).body).toMatchObject([{ status: { state: 'active' } }]);
    expect((await app.get(`${V2}/alerts?active=false`)).body).toHaveLength(2);
  });

  it('is not meant by X-Scope-OrgID where the token lacks it', async () => {
    const app = await createOfA();
    const before = (await seen(app)).map(({ body }) => body);
    const asA = { 'x-scope-orgid': 'a' };
    expect((await app.ask('GET', `${V2}/alerts`, undefined, 'all-b', asA)).status).toBe(403);
    expect((await app.ask('DELETE', `${V2}/silence/${app.silenceID}`, undefined, 'all-b', asA)).status).toBe(403);
    expect((await app.ask('DELETE', `${RULER}/space`, undefined, 'all-b', asA)).status).toBe(403);
    expect((await seen(app)).map(({ body }) => body)).toEqual(before);
  });
});

describe('scopes', () => {
  const all = ['ingest', 'query', 'admin'];
  it.each([
    ['GET', `${V2}/alerts`, undefined, 'query'],
    ['GET', `${V2}/alerts/groups`, undefined, 'query'],
    ['POST', `${V2}/alerts`, posted, 'ingest'],
    ['GET', `${V2}/silences`, undefined, 'query'],
    ['GET', `${V2}/silence/x`, undefined, 'query'],
    ['POST', `${V2}/silences`, silence, 'admin'],
    ['DELETE', `${V2}/silence/x`, undefined, 'admin'],
    ['GET', `${V2}/status`, undefined, 'query'],
    ['GET', `${V2}/receivers`, undefined, 'query'],
    ['GET', RULER, undefined, 'query'],
    ['GET', `${RULER}/space`, undefined, 'query'],
    ['GET', `${RULER}/space/g`, undefined, 'query'],
    ['POST', `${RULER}/space`, group, 'admin'],
    ['DELETE', `${RULER}/space`, undefined, 'admin'],
    ['DELETE', `${RULER}/space/g`, undefined, 'admin'],
    ['GET', '/api/v1/rules', undefined, 'query'],
    ['GET', '/prometheus/api/v1/alerts', undefined, 'query'],
    ['GET', '/api/alerts/0000000000000000/explain', undefined, 'query'],
    ['GET', '/api/slo', undefined, 'query'],
  ])('%s %s is for one alone', async (method, path, body, scope) => {
    const app = createAlertApp();
    for (const each of all) {
      const { status } = await app.ask(method, path, body, `${each}-a`);
      expect([each, status === 403]).toEqual([each, each !== scope]);
    }
    expect((await app.ask(method, path, body, 'nobody')).status).toBe(401);
  });

  it.each(['healthy', 'ready'])('-/%s is open', async (path) => {
    const answer = await createAlertApp().get(`/alertmanager/-/${path}`, 'nobody');
    expect([answer.status, answer.text]).toEqual([200, 'OK']);
  });
});

describe('status of Alertmanager’s API', () => {
  const url = 'https://hooks.example/secret-path';
  const routing = `route: { receiver: hook }\nreceivers: [{ name: hook, webhook_configs: [{ url: ${url}, http_config: { basic_auth: { username: u, password: pass-word } } }] }]`;

  it('shows the configuration without its secrets, a version, and since when this runs', async () => {
    const { body, text } = await createAlertApp({ routing }).get(`${V2}/status`);
    expect(body).toEqual({
      cluster: { name: '', peers: [], status: 'disabled' },
      config: { original: expect.stringContaining('username: u') },
      uptime: new Date(NOW - 60_000).toISOString(),
      versionInfo: {
        branch: '',
        buildDate: '',
        buildUser: '',
        goVersion: '',
        revision: '',
        version: expect.stringMatching(/^0\.\d+\.\d+$/),
      },
    });
    expect(text).not.toMatch(/secret-path|pass-word/);
  });

  it('names the receivers', async () => {
    expect((await createAlertApp({ routing }).get(`${V2}/receivers`)).body).toEqual([{ name: 'hook' }]);
  });
});
