import { describe, expect, it } from 'vitest';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { OpsError } from '#core/errors.ts';
import { createAlertApp, NOW } from './alert-app.ts';

const ALERTS = '/alertmanager/api/v2/alerts';
const iso = (ms: number) => new Date(ms).toISOString();
const MINUTE = 60_000;

const routing = `
route:
  receiver: all
  group_by: [team]
  routes:
  - { matchers: [team="db"], receiver: db, mute_time_intervals: [always] }
receivers: [{ name: all }, { name: db }]
inhibit_rules:
- { source_matchers: [severity="page"], target_matchers: [severity="mail"], equal: [team] }
time_intervals: [{ name: always, time_intervals: [{ times: [{ start_time: "00:00", end_time: "24:00" }] }] }]
`;

interface Shown {
  readonly labels: Record<string, string>;
  readonly fingerprint: string;
  readonly status: { readonly state: string; readonly silencedBy: string[]; readonly inhibitedBy: string[]; readonly mutedBy: string[] };
}
const namesOf = (body: unknown) => (body as Shown[]).map(({ labels }) => labels.alertname).sort();

describe('POST alerts of Alertmanager’s API', () => {
  it('is answered once the alert is stored, and shows it at once, before any dispatch and after', async () => {
    const app = createAlertApp({ routing });
    const labels = { alertname: 'Down', team: 'db', empty: '' };
    const posted = await app.post(ALERTS, [{ labels, annotations: { summary: 'x' }, generatorURL: 'http://p/graph' }]);
    expect([posted.status, posted.text]).toEqual([200, '']);
    const shown = {
      annotations: { summary: 'x' },
      endsAt: iso(NOW + 5 * MINUTE),
      fingerprint: fingerprintLabels({ alertname: 'Down', team: 'db' }),
      receivers: [{ name: 'db' }],
      startsAt: iso(NOW),
      status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
      updatedAt: iso(NOW),
      generatorURL: 'http://p/graph',
      labels: { alertname: 'Down', team: 'db' },
    };
    expect((await app.get(ALERTS)).body).toEqual([shown]);
    expect((await app.dispatch('a'))[0]).toMatchObject({ taken: 1, alerts: 1 });
    expect((await app.get(ALERTS)).body).toEqual([shown]);
  });

  it.each([
    ['neither time', {}, NOW, NOW + 5 * MINUTE],
    [
      'the times of Go that nobody set',
      { startsAt: '0001-01-01T00:00:00.000Z', endsAt: '0001-01-01T00:00:00.000Z' },
      NOW,
      NOW + 5 * MINUTE,
    ],
    ['an end alone', { endsAt: iso(NOW + MINUTE) }, NOW + MINUTE, NOW + MINUTE],
    ['both', { startsAt: '2026-11-23T12:59:00.123456789+01:00', endsAt: iso(NOW + MINUTE) }, NOW - MINUTE + 123, NOW + MINUTE],
  ])('fills in the times as Alertmanager does: %s', async (_, times, startsAtMs, endsAtMs) => {
    const app = createAlertApp();
    await app.post(ALERTS, [{ labels: { alertname: 'x' }, ...times }]);
    expect((await app.get(ALERTS)).body).toMatchObject([{ startsAt: iso(startsAtMs), endsAt: iso(endsAtMs) }]);
  });

  it('shows no alert that is over', async () => {
    const app = createAlertApp();
    await app.post(ALERTS, [{ labels: { alertname: 'x' } }]);
    app.clock.nowMs += MINUTE;
    await app.post(ALERTS, [{ labels: { alertname: 'x' }, startsAt: iso(NOW), endsAt: iso(NOW + MINUTE) }]);
    expect((await app.get(ALERTS)).body).toEqual([]);
  });

  it('takes the good ones of a post, and says what is wrong with the others', async () => {
    const app = createAlertApp();
    const answer = await app.post(ALERTS, [
      { labels: { alertname: 'good' } },
      { labels: {} },
      { labels: { alertname: 'late' }, startsAt: iso(NOW), endsAt: iso(NOW - 1) },
    ]);
    expect([answer.status, answer.body]).toEqual([400, 'at least one label pair required; start time must be before end time']);
    expect(namesOf((await app.get(ALERTS)).body)).toEqual(['good']);
  });

  it.each([
    ['no JSON', '[', /^parsing body failed, because/],
    ['no list', { labels: {} }, /^body in body: Invalid input: expected array/],
    ['no labels', [{}], /^0\.labels in body: /],
    ['a value that is no text', [{ labels: { a: 1 } }], /^0\.labels\.a in body: /],
    ['a time that is none', [{ labels: { a: 'b' }, startsAt: 'noon' }], 'must be of type date-time: "noon"'],
    ['a name that is none', [{ labels: { a: 'b', '': 'c' } }], 'invalid label set: invalid name ""'],
    ['a value that is no UTF-8', '[{"labels":{"a":"\\ud800"}}]', 'invalid label set: invalid value of "a"'],
    ['65 labels', [{ labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x'])) }], 'at most 64 are taken'],
    ['a long value', [{ labels: { a: 'x'.repeat(8_193) } }], 'the value of "a" has more than 8192 bytes'],
    ['a long annotation', [{ labels: { a: 'b' }, annotations: { c: 'x'.repeat(65_537) } }], 'invalid annotations: the value of "c"'],
    ['an address that is none', [{ labels: { a: 'b' }, generatorURL: 'no address' }], 'generatorURL must be of type uri'],
  ])('refuses %s', async (_, body, message) => {
    const app = createAlertApp();
    const answer = await app.post(ALERTS, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(message);
    expect((await app.get(ALERTS)).body).toEqual([]);
  });

  it('refuses more than 16 MiB', async () => {
    const answer = await createAlertApp().post(ALERTS, `[${' '.repeat(16 * 1024 * 1024)}]`);
    expect(answer.status).toBe(413);
  });

  it('opens the book of a tenant that no configuration names, so that its alerts are dispatched', async () => {
    const app = createAlertApp();
    await app.post(ALERTS, [{ labels: { alertname: 'x' } }]);
    await app.post(ALERTS, [{ labels: { alertname: 'y' } }]);
    expect(await app.table.get({ pk: 'alerts/books', sk: 'a' })).toBeDefined();
    expect((await app.dispatch('a'))[0]).toMatchObject({ taken: 2, alerts: 2 });
  });
});

describe('what was posted', () => {
  it('is dispatched at once, where anything of it was taken', async () => {
    const app = createAlertApp();
    await app.post(ALERTS, []);
    await app.post(ALERTS, [{ labels: {} }]);
    expect(app.announced).toEqual([]);
    await app.post(ALERTS, [{ labels: {} }, { labels: { alertname: 'x' } }]);
    expect(app.announced).toEqual(['a']);
  });

  it('is taken all the same where nobody can be told to dispatch it: the schedule will', async () => {
    const app = createAlertApp({ deaf: new OpsError('unavailable', 'no bus') });
    expect((await app.post(ALERTS, [{ labels: { alertname: 'x' } }])).status).toBe(200);
    expect((await app.dispatch('a'))[0]).toMatchObject({ taken: 1 });
  });
});

describe('a tenant with as many alerts as it may have', () => {
  it('has no more taken, but those that it has already', async () => {
    const app = createAlertApp({ maxAlerts: 4 });
    const labels = (alertname: string) => ({ labels: { alertname } });
    await app.post(ALERTS, ['a6', 'a7', 'a8'].map(labels));
    await app.dispatch('a');
    const answer = await app.post(ALERTS, [labels('new'), labels('newer'), { ...labels('a7'), annotations: { seen: 'yes' } }]);
    expect([answer.status, answer.body]).toEqual([413, 'there are as many alerts as this tenant may have, and 1 more were left out']);
    await app.dispatch('a');
    const shown = (await app.get(`${ALERTS}?filter=alertname%3D~%22a7%7Cnew.*%22`)).body as Shown[];
    expect(namesOf(shown)).toEqual(['a7', 'new']);
    expect(shown.find((alert) => alert.labels.alertname === 'a7')).toMatchObject({ annotations: { seen: 'yes' } });
    expect((await app.post(ALERTS, [labels('x')], 'all-b')).status).toBe(200);
  });
});

describe('GET alerts of Alertmanager’s API', () => {
  async function createFilled() {
    const app = createAlertApp({ routing });
    await app.post(ALERTS, [
      { labels: { alertname: 'Plain', team: 'web' } },
      { labels: { alertname: 'Source', team: 'db', severity: 'page' } },
      { labels: { alertname: 'Inhibited', team: 'db', severity: 'mail' } },
      { labels: { alertname: 'Silenced', team: 'web', severity: 'mail' } },
    ]);
    const matchers = [{ name: 'alertname', value: 'Sil.*', isRegex: true }];
    const silence = { matchers, startsAt: iso(NOW), endsAt: iso(NOW + MINUTE), createdBy: 'me', comment: 'quiet' };
    const { silenceID } = (await app.post('/alertmanager/api/v2/silences', silence)).body as { silenceID: string };
    return { app, silenceID };
  }

  it.each([
    ['', ['Inhibited', 'Plain', 'Silenced', 'Source']],
    ['active=false', ['Inhibited', 'Silenced']],
    ['silenced=false', ['Inhibited', 'Plain', 'Source']],
    ['inhibited=false', ['Plain', 'Silenced', 'Source']],
    ['silenced=false&inhibited=false&unprocessed=false', ['Plain', 'Source']],
    ['receiver=d.', ['Inhibited', 'Source']],
    ['receiver=d', []],
    ['filter=team%3Dweb', ['Plain', 'Silenced']],
    ['filter=team%3Dweb&filter=severity!%3D%22mail%22', ['Plain']],
    ['filter=%7Bteam', 400],
    ['filter=team%3D~%22(%22', 400],
    ['receiver=(', 400],
  ])('keeps to %j', async (query, expected) => {
    const { app } = await createFilled();
    const answer = await app.get(`${ALERTS}?${query}`);
    if (typeof expected === 'number') expect([answer.status, typeof answer.body]).toEqual([expected, 'string']);
    else expect(namesOf(answer.body)).toEqual(expected);
  });

  it('says what holds an alert back, in order of fingerprints', async () => {
    const { app, silenceID } = await createFilled();
    const alerts = (await app.get(ALERTS)).body as Shown[];
    expect(alerts.map(({ fingerprint }) => fingerprint)).toEqual(alerts.map(({ fingerprint }) => fingerprint).sort());
    const status = Object.fromEntries(alerts.map((alert) => [alert.labels.alertname, alert.status]));
    const source = fingerprintLabels({ alertname: 'Source', team: 'db', severity: 'page' });
    expect(status.Silenced).toEqual({ state: 'suppressed', silencedBy: [silenceID], inhibitedBy: [], mutedBy: [] });
    expect(status.Inhibited).toEqual({ state: 'suppressed', silencedBy: [], inhibitedBy: [source], mutedBy: [] });
    expect(status.Plain?.state).toBe('active');
  });

  it('groups them by the routes they take, muted groups among them unless told otherwise', async () => {
    const { app } = await createFilled();
    const groups = (await app.get(`${ALERTS}/groups`)).body as { labels: object; receiver: object; alerts: Shown[] }[];
    expect(groups.map(({ labels, receiver, alerts }) => [labels, receiver, namesOf(alerts), alerts[0]?.status.mutedBy])).toEqual([
      [{ team: 'db' }, { name: 'db' }, ['Inhibited', 'Source'], ['always']],
      [{ team: 'web' }, { name: 'all' }, ['Plain', 'Silenced'], []],
    ]);
    expect((await app.get(`${ALERTS}/groups?muted=false`)).body).toHaveLength(1);
    expect((await app.get(`${ALERTS}/groups?receiver=db`)).body).toHaveLength(1);
    expect((await app.get(`${ALERTS}/groups?active=false&inhibited=false`)).body).toMatchObject([{ labels: { team: 'web' } }]);
  });
});
