import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program, startAlertmanager } from '#test/alerts/receivers/alertmanager.ts';
import { createAlertApp } from './alert-app.ts';

const missing = program === undefined ? ' (no Alertmanager: test/debian.sh unpack prometheus-alertmanager fetches it on Debian)' : '';
const routing = {
  route: {
    receiver: 'all',
    group_by: ['team'],
    group_wait: '0s',
    routes: [
      { matchers: ['team="db"'], receiver: 'db', group_by: ['...'], continue: true },
      { matchers: ['severity="page"'], receiver: 'pager' },
    ],
  },
  receivers: [{ name: 'all' }, { name: 'db' }, { name: 'pager' }],
  inhibit_rules: [{ source_matchers: ['severity="page"'], target_matchers: ['severity="mail"'], equal: ['team'] }],
};
const startMs = Math.floor(Date.now() / 1_000) * 1_000;
const iso = (ms: number) => new Date(ms).toISOString();
const times = { startsAt: iso(startMs - 60_000), endsAt: iso(startMs + 600_000) };
const alerts = [
  { labels: { alertname: 'Down', team: 'db', severity: 'page', empty: '' }, annotations: { a: 'b' }, generatorURL: 'http://p/g', ...times },
  { labels: { alertname: 'Slow', team: 'db', severity: 'mail' }, ...times },
  { labels: { alertname: 'Full', team: 'web', disk: '/dev/ü "x"' }, ...times },
  { labels: { alertname: 'Over', team: 'web' }, startsAt: times.startsAt, endsAt: iso(startMs - 1_000) },
];
const silence = {
  matchers: [
    { name: 'alertname', value: 'Fu.*', isRegex: true },
    { name: 'team', value: 'db', isRegex: false, isEqual: false },
  ],
  startsAt: iso(startMs - 1_000),
  endsAt: iso(startMs + 600_000),
  createdBy: 'me',
  comment: 'quiet',
};

type Ask = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;

describe.skipIf(program === undefined)(`Debian's Alertmanager${missing}`, () => {
  let peer: Awaited<ReturnType<typeof startAlertmanager>>;
  let askPeer: Ask;
  const app = createAlertApp({ routing: JSON.stringify(routing) });
  const ask: Ask = (method, path, body) => app.ask(method, `/alertmanager/api/v2${path}`, body);
  beforeAll(async () => {
    peer = await startAlertmanager(routing, 'http://peer.example/');
    askPeer = async (method, path, body) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(`${peer.url}/api/v2${path}`, { method, ...sent });
      const text = await response.text();
      return {
        status: response.status,
        body: response.headers.get('content-type')?.includes('json') && text !== '' ? JSON.parse(text) : text,
      };
    };
    app.clock.nowMs = Date.now();
    for (const each of [ask, askPeer]) {
      expect(await each('POST', '/alerts', alerts)).toMatchObject({ status: 200, body: '' });
      expect(await each('POST', '/silences', silence)).toMatchObject({
        status: 200,
        body: { silenceID: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
    }
    await sleep(300); // it routes in the background
  });
  afterAll(() => peer?.stop());

  /** Without what each made up by itself, and without what 0.25 does not say yet. */
  const plain = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, field) => {
        if (key === 'updatedAt' || key === 'mutedBy') return undefined;
        if (key === 'startsAt' && Date.parse(field) >= startMs) return 'when it was made';
        if (typeof field === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(field)) return 'an id';
        return field;
      }),
    );
  const byFingerprint = (value: unknown) =>
    (value as { alerts?: { fingerprint: string }[] }[]).map((group) =>
      group.alerts ? { ...group, alerts: [...group.alerts].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)) } : group,
    );

  it.each([
    '/alerts',
    '/alerts?active=false',
    '/alerts?silenced=false',
    '/alerts?inhibited=false',
    '/alerts?receiver=d.*',
    '/alerts?receiver=al',
    '/alerts?filter=team%3Ddb',
    '/alerts?filter=team!~%22d.%22&filter=alertname%3DFull',
    '/alerts?filter=disk%3D%22%2Fdev%2F%C3%BC%20%5C%22x%5C%22%22',
    '/alerts/groups',
    '/alerts/groups?receiver=pager',
    '/alerts/groups?active=false',
    '/alerts/groups?filter=alertname%3DFull&silenced=false',
    '/silences',
    '/silences?filter=team!%3Ddb',
    '/silences?filter=team%3Ddb',
    '/receivers',
  ])('answers %s as we do', async (path) => {
    const [here, there] = [await ask('GET', path), await askPeer('GET', path)];
    expect(here.status).toBe(there.status);
    expect(byFingerprint(plain(here.body))).toEqual(byFingerprint(plain(there.body)));
  });

  it.each([
    ['GET', '/alerts?filter=%7B%7B', undefined],
    ['GET', '/alerts?receiver=(', undefined],
    ['GET', '/silences?filter=a', undefined],
    ['GET', '/silence/00000000-0000-4000-8000-000000000000', undefined],
    ['POST', '/alerts', [{ labels: {} }]],
    ['POST', '/alerts', [{ labels: { a: 'b' }, startsAt: times.endsAt, endsAt: times.startsAt }]],
    ['POST', '/silences', { ...silence, id: '00000000-0000-4000-8000-000000000000' }],
    ['POST', '/silences', { ...silence, startsAt: silence.endsAt, endsAt: silence.startsAt }],
    ['POST', '/silences', { ...silence, startsAt: iso(1_000), endsAt: iso(2_000) }],
    ['POST', '/silences', { ...silence, matchers: [{ name: 'a', value: '.*', isRegex: true }] }],
    ['POST', '/silences', { ...silence, matchers: [{ name: 'a', value: '(', isRegex: true }] }],
  ])('refuses %s %s with the status that we give: %j', async (method, path, body) => {
    const [here, there] = [await ask(method, path, body), await askPeer(method, path, body)];
    expect([here.status, typeof here.body]).toEqual([there.status, typeof there.body]);
  });

  it('answers 500 where a silence that is to end is none, which newer ones and we answer with 404', async () => {
    const path = '/silence/00000000-0000-4000-8000-000000000000';
    expect([(await ask('DELETE', path)).status, (await askPeer('DELETE', path)).status]).toEqual([404, 500]);
  });

  it('has the fields in its status that we have', async () => {
    const [here, there] = [await ask('GET', '/status'), await askPeer('GET', '/status')];
    const fields = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fields(field)]))
        : typeof value;
    expect(fields(here.body)).toMatchObject(fields(there.body) as object);
  });
});
