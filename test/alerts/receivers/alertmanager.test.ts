import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeNotification } from '#alerts/receivers/compose.ts';
import type { CreateRenderer } from '#alerts/receivers/composing.ts';
import type { NotifiedAlert } from '#alerts/receivers/notification.ts';
import { sendComposed } from '#alerts/receivers/send.ts';
import type { ReceiverSettings } from '#alerts/receivers/settings.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import type { NotificationData } from '#alerts/template/notification-data.ts';
import { createSnsTopics } from '#aws/sns-topics.ts';
import { createSmtpMail } from '#local/smtp-mail.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import { startSmtpServer } from '#test/local/smtp-server.ts';
import { type Received, startServer } from '#test/net/servers.ts';
import { program, startAlertmanager } from './alertmanager.ts';
import { type Case, casesOf } from './alertmanager-cases.ts';
import { alertOf, notificationOf } from './notifications.ts';
import { readMail } from './read-mail.ts';

const absent = program === undefined ? ' (no Alertmanager: test/debian.sh unpack prometheus-alertmanager fetches it on Debian)' : '';

/** Templates of a few words, as both sides are given them. */
const words: Readonly<Record<string, (data: NotificationData) => string>> = {
  '.Status': ({ status }) => status,
  'len .Alerts': ({ alerts }) => String(alerts.length),
  '.GroupLabels.alertname': ({ groupLabels }) => groupLabels.alertname!,
  '.CommonLabels.job': ({ commonLabels }) => commonLabels.job!,
  '.CommonAnnotations.text': ({ commonAnnotations }) => commonAnnotations.text!,
  '.ExternalURL': ({ externalUrl }) => externalUrl,
};
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
const fill = (text: string, data: NotificationData, quote: (value: string) => string) =>
  text.replace(/\{\{ (.*?) \}\}/g, (_, word: string) => quote(words[word]!(data)));
const createRenderer: CreateRenderer = (data) => ({
  text: async (text) => fill(text, data, (value) => value),
  html: async (text) => fill(text, data, (value) => value.replace(/[&<>"']/g, (character) => escapes[character]!)),
});

const reveal = (value: unknown): unknown => mapTexts(value, (text) => text.replace(/^secret:/, ''));
const wrap = (value: unknown): unknown => mapTexts(value, (text) => (text.startsWith('secret:') ? createSecret(text.slice(7)) : text));

function mapTexts(value: unknown, map: (text: string) => unknown): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, mapTexts(field, map)]));
}

function ours({ kind, settings }: Case): ReceiverSettings {
  const [host, port] = String(settings.smarthost ?? '').split(':');
  const smarthost = kind === 'email' ? { smarthost: { host, port } } : {};
  return { kind, settings: { ...(wrap(settings) as object), ...smarthost } } as unknown as ReceiverSettings;
}

/** What both sides must have alike: headers that are a matter of the client's are left out. */
function essence({ method, url, headers, body }: Received) {
  const { authorization, 'content-type': type } = headers;
  const signed = authorization?.startsWith('AWS4-')
    ? authorization.replace(/^(AWS4-\S+ Credential=\w+\/)\d+(\/\S+),.*$/, '$1$2')
    : authorization;
  const sent = type?.startsWith('application/json') ? (JSON.parse(body) as unknown) : Object.fromEntries(new URLSearchParams(body));
  return { method, path: url, authorization: signed, type: type?.replace(/;.*/, ''), sent };
}

/** What has changed since 0.25: details that come out as numbers are numbers. */
function asOf025(told: ReturnType<typeof essence>) {
  const { payload } = told.sent as { payload?: { custom_details?: Record<string, unknown> } };
  if (payload?.custom_details === undefined) return told;
  expect(payload.custom_details.num_firing).toBe(2);
  return {
    ...told,
    sent: { ...(told.sent as object), payload: { ...payload, custom_details: { ...payload.custom_details, num_firing: '2' } } },
  };
}

describe.skipIf(program === undefined)(`what is sent, beside Debian's Alertmanager 0.25${absent}`, () => {
  const shared = { annotations: { text: 'it\'s <b>"down"</b> & out', summary: '€' } };
  // Just now: an alert older than group_wait is told of at once, which may be before the other has come.
  let startsAtMs = 0;
  let alerts: readonly NotifiedAlert[] = [];
  const externalUrl = 'http://alerts.test/alertmanager';
  let peer: Awaited<ReturnType<typeof startAlertmanager>> | undefined;
  let cases: Record<string, Case>;
  let http: Awaited<ReturnType<typeof startServer>>;
  let smtp: Awaited<ReturnType<typeof startSmtpServer>>;
  let theirs: Record<'firing' | 'resolved', { requests: Received[]; mails: string[] }>;

  // Opsgenie is told in three requests while alerts fire.
  const expected = { requests: 9, mails: 1 };
  const drain = () => ({ requests: http.received.splice(0), mails: smtp.received.splice(0).map(({ data }) => data) });

  beforeAll(async () => {
    http = await startServer((request, response) => {
      const xml = '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
      if (request.url === '/sns/') response.setHeader('content-type', 'text/xml');
      response.end(request.url === '/sns/' ? xml : 'ok');
    });
    smtp = await startSmtpServer();
    cases = casesOf(`http://127.0.0.1:${http.port}`, smtp.port);
    const routes = Object.keys(cases).map((receiver) => ({ receiver, matchers: ['job=~".*"'], continue: true }));
    const config = {
      route: { receiver: 'none', group_by: ['alertname'], group_wait: '1s', group_interval: '1s', repeat_interval: '1h', routes },
      receivers: [
        { name: 'none' },
        ...Object.entries(cases).map(([name, { kind, settings }]) => ({ name, [`${kind}_configs`]: [reveal(settings)] })),
      ],
    };
    peer = await startAlertmanager(config, externalUrl);
    startsAtMs = Date.now();
    alerts = ['a', 'b'].map((instance) => alertOf({ alertname: 'Down', instance, job: 'ñode' }, { ...shared, startsAtMs }));
    const firing = await tell(peer.url, undefined);
    theirs = { firing, resolved: await tell(peer.url, startsAtMs + 20) };
  }, 60_000);

  afterAll(async () => void (await Promise.all([peer?.stop(), http?.close(), smtp?.close()])));

  /** Posts the alerts, and waits until every receiver has been told. */
  async function tell(url: string, endsAtMs: number | undefined) {
    const body = JSON.stringify(
      alerts.map(({ labels, annotations, generatorUrl }) => ({
        labels,
        annotations,
        generatorURL: generatorUrl,
        startsAt: new Date(startsAtMs).toISOString(),
        ...(endsAtMs === undefined ? {} : { endsAt: new Date(endsAtMs).toISOString() }),
      })),
    );
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body })).status).toBe(200);
    const requests = endsAtMs === undefined ? expected.requests : expected.requests - 2;
    for (let tries = 0; http.received.length < requests || smtp.received.length < expected.mails; tries++) {
      if (tries > 200) throw new Error(`got ${http.received.map(({ url }) => url)} and ${smtp.received.length} mails`);
      await sleep(50);
    }
    return drain();
  }

  async function tellOurs(name: string, status: 'firing' | 'resolved') {
    const told = alerts.map((alert) => ({ ...alert, endsAtMs: status === 'firing' ? Number.POSITIVE_INFINITY : startsAtMs + 20 }));
    const notification = notificationOf({
      receiver: name,
      groupKey: '{}/{job=~".*"}:{alertname="Down"}',
      alerts: told,
      externalUrl,
      atMs: startsAtMs + 60_000,
    });
    const open = { allowPrivate: true };
    const deps = {
      outgoing: createSafeHttp(open),
      mail: createSmtpMail(open),
      topics: createSnsTopics({ ...open, region: 'eu-west-1' }),
      clock: Date.now,
    };
    expect(await sendComposed(deps, await composeNotification(ours(cases[name]!), notification, createRenderer))).toEqual({ kind: 'sent' });
    return drain();
  }

  const byHttp = ['web.hook+1', 'web-few', 'web-basic', 'slack', 'pagerduty', 'opsgenie', 'sns'];
  const statuses = ['firing', 'resolved'] as const;

  it.each(byHttp.flatMap((name) => statuses.map((status) => [name, status] as const)))('%s, %s', async (name, status) => {
    const mine = (await tellOurs(name, status)).requests.map(essence).map(asOf025);
    const their = theirs[status].requests.filter(({ url }) => url.startsWith(`/${name}`)).map(essence);
    expect(their.length).toBeGreaterThan(0);
    expect(mine).toEqual(their);
  });

  it.each(statuses)('mail, %s', async (status) => {
    const [mine] = (await tellOurs('mail', status)).mails.map(readMail);
    const [their] = theirs[status].mails.map(readMail);
    expect(their?.parts).toHaveLength(2);
    expect(mine).toEqual(their);
  });
});
