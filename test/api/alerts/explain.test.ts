import { describe, expect, it } from 'vitest';
import { deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import type { Explanation } from '#alerts/explain/explanation.ts';
import type { Verdict } from '#alerts/receivers/verdict.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { readRuleFile } from '#alerts/rules/rule-file.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { createAlertApp, NOW } from './alert-app.ts';

const MINUTE = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();
const routing = `
route:
  receiver: all
  group_by: [team]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 1h
  routes:
  - { matchers: [team="db"], receiver: db, continue: true }
  - { matchers: [team="db"], receiver: nobody, mute_time_intervals: [noon] }
receivers:
- { name: all, webhook_configs: [{ url: "http://all.example/" }] }
- { name: db, webhook_configs: [{ url: "http://db.example/" }, { url: "http://db.example/2" }] }
- { name: nobody }
inhibit_rules: [{ source_matchers: [severity="page"], target_matchers: [severity="mail"], equal: [team] }]
time_intervals: [{ name: noon, time_intervals: [{ times: [{ start_time: "12:00", end_time: "13:00" }] }] }]
`;
const files = readRuleFile(
  'groups: [{ name: g, rules: [{ alert: Down, expr: down, for: 2m, keep_firing_for: 5m, labels: { team: db }, annotations: { text: hm } }] }]',
  RULE_CHECKS,
).groups.map((group) => ({ namespace: 'rules/a.yaml', group }));
const labels = { alertname: 'Down', job: 'a', team: 'db' };
const fingerprint = fingerprintLabels(labels);

function createApp() {
  const app = createAlertApp({ routing, files, values: { down: 1 } });
  return {
    ...app,
    async explain(of = fingerprint) {
      const answer = await app.get(`/api/alerts/${of}/explain`);
      expect(answer.status).toBe(200);
      return answer.body as Explanation;
    },
    /** A minute later: evaluated and dispatched. */
    async step(minutes = 1) {
      for (let i = 0; i < minutes; i++) {
        app.clock.nowMs += MINUTE;
        await app.evaluate('a');
        await app.dispatch('a');
      }
    },
    deliver: (verdict: Verdict) =>
      deliverNotifications({
        ...app.domains,
        random: () => 0.5,
        send: async (_, planned) => (planned.receiver === 'db' ? verdict : { kind: 'sent' }),
      }),
  };
}
const sentences = ({ next }: Explanation) => next.map(({ sentence }) => sentence);

describe('an alert of a rule is explained', () => {
  it('while it is pending: which rule, since when, and when it fires', async () => {
    const app = createApp();
    await app.evaluate('a');
    const explained = await app.explain();
    expect(explained).toMatchObject({
      fingerprint,
      labels,
      annotations: { text: 'hm' },
      state: 'pending',
      startsAt: null,
      endsAt: null,
      rule: { namespace: 'rules/a.yaml', group: 'g', name: 'Down', expr: 'down', value: '1', lastEvaluation: iso(NOW), lastError: '' },
      changes: [{ what: 'became active', at: iso(NOW) }],
    });
    expect(explained.rule?.sentence).toBe('The rule Down of the group g in rules/a.yaml made it, whose expression is down and was last 1.');
    expect(sentences(explained)).toEqual([`It fires at the first evaluation from ${iso(NOW + 2 * MINUTE)} on, if its series stays.`]);
  });

  it('once it fires: its routes, its groups, what each integration is told, and what is due', async () => {
    const app = createApp();
    await app.evaluate('a');
    await app.step(2);
    const firedAt = iso(NOW + 2 * MINUTE);
    const before = await app.explain();
    expect(before).toMatchObject({ state: 'active', startsAt: firedAt, endsAt: null });
    expect(before.changes.map(({ what, at }) => [what, at])).toEqual([
      ['became active', iso(NOW)],
      ['fired', firedAt],
      ['was last told of', firedAt],
    ]);
    const [db, nobody] = before.routes;
    expect(before.routes).toHaveLength(2);
    expect(db).toMatchObject({
      path: '{}/{team="db"}/0',
      receiver: 'db',
      groupKey: '{}/{team="db"}:{team="db"}',
      groupLabels: { team: 'db' },
      mutedBy: [],
      nextLookAt: iso(NOW + 7 * MINUTE),
      integrations: [
        { integration: 'webhook_configs/0', told: { as: 'firing', decidedAt: firedAt }, tries: [], nextTryAt: null },
        { integration: 'webhook_configs/1', told: { as: 'firing' } },
      ],
    });
    expect(db?.integrations[0]?.sentence).toBe(
      `At ${firedAt} it was decided to tell webhook_configs/0 of this alert as firing, which is on its way.`,
    );
    expect(nobody).toMatchObject({ receiver: 'nobody', mutedBy: ['noon'], integrations: [] });
    expect(nobody?.sentence).toMatch(/muted now by the time intervals noon\. Nobody is behind that receiver\.$/);
    expect(sentences(before)).toContainEqual(`db/webhook_configs/0 is told again after ${iso(NOW + 62 * MINUTE)}, if it still fires.`);
    const times = before.next.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
  });

  it('as it is delivered: sent, tried again, given up', async () => {
    const app = createApp();
    await app.evaluate('a');
    await app.step(2);
    const at = iso(app.clock.nowMs);
    await app.deliver({ kind: 'retry', reason: 'http://db.example/ answered 500' });
    const integration = async () => (await app.explain()).routes[0]?.integrations[0];
    const failed = await integration();
    expect(failed).toMatchObject({
      tries: [{ at, outcome: 'retried', reason: 'http://db.example/ answered 500', why: 'first-notification', attempts: 1, alerts: 1 }],
      nextTryAt: expect.any(String),
    });
    expect(failed?.sentence).toMatch(/which failed at .* \(try 1\), and is tried again at .*: http:\/\/db.example\/ answered 500$/);
    app.clock.nowMs = Date.parse(failed?.nextTryAt as string);
    await app.deliver({ kind: 'refused', reason: 'http://db.example/ answered 404' });
    const refused = await integration();
    expect(refused?.tries.map(({ outcome }) => outcome)).toEqual(['gave up', 'retried']);
    expect(refused?.nextTryAt).toBeNull();
    expect(refused?.sentence).toMatch(/which was given up at .* after 2 tries: http:\/\/db.example\/ answered 404$/);
  });

  it('when it is sent, kept firing, and over', async () => {
    const app = createApp();
    await app.evaluate('a');
    await app.step(2);
    await app.deliver({ kind: 'sent' });
    expect((await app.explain()).routes[0]?.integrations[0]?.sentence).toMatch(/, which was sent at /);
    delete app.values.down;
    await app.step();
    expect((await app.explain()).changes.map(({ what }) => what)).toContain('kept firing');
    await app.step(10);
    const over = await app.explain();
    expect(over).toMatchObject({ state: 'resolved', sentence: '{alertname="Down", job="a", team="db"} is over.' });
    expect(over.changes.at(-1)?.what).toMatch(/resolved|last told/);
  });
});

describe('an alert of an outside sender is explained', () => {
  const posted = { labels: { alertname: 'Mail', team: 'db', severity: 'mail' } };
  const source = { labels: { alertname: 'Page', team: 'db', severity: 'page' } };
  const of = fingerprintLabels(posted.labels);

  it('with the silences and alerts that hold it back, and when it ends', async () => {
    const app = createApp();
    await app.post('/alertmanager/api/v2/alerts', [posted, source]);
    const matchers = [{ name: 'severity', value: 'mail', isRegex: false }];
    const silence = { matchers, startsAt: iso(NOW), endsAt: iso(NOW + MINUTE), createdBy: 'me', comment: 'works going on' };
    const { silenceID } = (await app.post('/alertmanager/api/v2/silences', silence)).body as { silenceID: string };
    const explained = await app.explain(of);
    expect(explained).toMatchObject({
      state: 'suppressed',
      startsAt: iso(NOW),
      endsAt: iso(NOW + 5 * MINUTE),
      sentence: '{alertname="Mail", severity="mail", team="db"} fires, and is held back by 1 silence and another alert.',
      rule: null,
      silences: [
        {
          id: silenceID,
          sentence: `The silence ${silenceID} of me holds what matches {severity="mail"} back until ${iso(NOW + MINUTE)}: works going on`,
        },
      ],
      inhibitions: [{ rule: 0, equal: ['team'], sourceFingerprint: fingerprintLabels(source.labels), sourceLabels: source.labels }],
    });
    expect(explained.inhibitions[0]?.sentence).toBe(
      'While {alertname="Page", severity="page", team="db"} fires, alerts are held back that match {severity="mail"}, and agree on team.',
    );
    expect(sentences(explained)).toEqual([
      `The silence ${silenceID} ends at ${iso(NOW + MINUTE)}.`,
      `It counts as resolved from ${iso(NOW + 5 * MINUTE)} on, unless its sender tells of it again.`,
    ]);
    expect(explained.routes[0]).toMatchObject({ nextLookAt: null, integrations: [{ told: null, tries: [] }, { told: null }] });
  });

  it('where its group was told without it', async () => {
    const app = createApp();
    await app.post('/alertmanager/api/v2/alerts', [posted, source]);
    await app.dispatch('a');
    expect((await app.explain(of)).routes[0]?.integrations[0]).toMatchObject({ told: { as: 'not told', decidedAt: iso(NOW) } });
    expect((await app.explain(of)).routes[0]?.integrations[0]?.sentence).toMatch(
      / of the group without this alert, which is on its way\.$/,
    );
    expect((await app.explain(fingerprintLabels(source.labels))).routes[0]?.integrations[0]).toMatchObject({ told: { as: 'firing' } });
  });

  it('not at all where nobody knows it', async () => {
    const answer = await createApp().get('/api/alerts/0123456789abcdef/explain');
    expect([answer.status, answer.body]).toMatchObject([404, { error: { kind: 'missing' } }]);
  });
});
