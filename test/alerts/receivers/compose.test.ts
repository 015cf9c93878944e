import { describe, expect, it } from 'vitest';
import { composeNotification } from '#alerts/receivers/compose.ts';
import { hashKey, type Notification } from '#alerts/receivers/notification.ts';
import type { ReceiverSettings } from '#alerts/receivers/settings.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import type { OutgoingRequest } from '#ports/outgoing.ts';
import { alertOf, notificationOf, renderers, resolved } from './notifications.ts';

async function requestsOf(receiver: ReceiverSettings, notification: Notification = notificationOf()): Promise<OutgoingRequest[]> {
  const { sendings } = await composeNotification(receiver, notification, renderers);
  return sendings.map((sending) => {
    if (sending.via !== 'outgoing') throw new Error(sending.via);
    return sending.request;
  });
}
const bodyOf = async (receiver: ReceiverSettings, notification?: Notification) =>
  JSON.parse((await requestsOf(receiver, notification))[0]?.body ?? '') as Record<string, unknown>;

const webhook = (given = {}): ReceiverSettings => ({ kind: 'webhook', settings: { url: createSecret('https://hooks.test/x'), ...given } });
const slack = (given = {}): ReceiverSettings => ({ kind: 'slack', settings: { api_url: createSecret('https://slack.test/a'), ...given } });
const pagerduty = (given = {}): ReceiverSettings => ({ kind: 'pagerduty', settings: { routing_key: createSecret('key'), ...given } });
const opsgenie = (given = {}): ReceiverSettings => ({ kind: 'opsgenie', settings: { api_key: createSecret('key'), ...given } });
const email = (given = {}): ReceiverSettings => ({
  kind: 'email',
  settings: { to: 'a@x.org, "B, C" <b@x.org>', from: 'Ops <ops@x.org>', smarthost: 'mail.test:587', ...given },
});
const sns = (given = {}): ReceiverSettings => ({
  kind: 'sns',
  settings: { topic_arn: 'arn:aws:sns:eu-west-1:1:ops', message: 'm', ...given },
});

describe('the payload of a webhook', () => {
  it('is Alertmanager version 4', async () => {
    expect(await bodyOf(webhook(), notificationOf({ receiver: 'team.x-y' }))).toEqual({
      receiver: 'team\\.x-y',
      status: 'firing',
      alerts: ['a', 'b'].map((instance) => ({
        status: 'firing',
        labels: { alertname: 'Down', instance, job: 'node' },
        annotations: { summary: `${instance} is down` },
        startsAt: '2026-03-01T12:00:00.25Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.test/graph?g0.expr=up&g0.tab=1',
        fingerprint: alertOf({ alertname: 'Down', instance, job: 'node' }).fingerprint,
      })),
      groupLabels: { alertname: 'Down' },
      commonLabels: { alertname: 'Down', job: 'node' },
      commonAnnotations: {},
      externalURL: 'http://quarterdeck.test/alertmanager',
      version: '4',
      groupKey: '{}:{alertname="Down"}',
      truncatedAlerts: 0,
    });
  });

  it('tells when alerts ended, and is resolved when all have', async () => {
    const [one, two] = notificationOf().alerts;
    const ended = { ...one!, endsAtMs: Date.UTC(2026, 2, 1, 12, 0, 30) };
    const mixed = await bodyOf(webhook(), notificationOf({ alerts: [ended, two!] }));
    expect(mixed).toMatchObject({
      status: 'firing',
      alerts: [{ status: 'resolved', endsAt: '2026-03-01T12:00:30Z' }, { status: 'firing' }],
    });
    expect(await bodyOf(webhook(), resolved(notificationOf()))).toMatchObject({ status: 'resolved' });
  });

  it('has max_alerts alerts, and what those have in common', async () => {
    expect(await bodyOf(webhook({ max_alerts: 1 }))).toMatchObject({
      alerts: [{ labels: { instance: 'a' } }],
      commonLabels: { instance: 'a' },
      truncatedAlerts: 1,
    });
  });

  it('is another where one is configured, with types as they come out', async () => {
    const payload = {
      state: '{{ status }}',
      count: '{{ alerts }}',
      list: ['x {{ status }}', 1, null],
      'k{{ alerts }}': '[{a: 1}]',
      text: 'a: b: c',
      id: '"12"',
    };
    expect(await bodyOf(webhook({ payload }))).toEqual({
      state: 'firing',
      count: 2,
      list: ['x firing', 1, null],
      k2: [{ a: 1 }],
      text: 'a: b: c',
      id: '"12"',
    });
  });

  it('carries the delivery as idempotency key, and goes to a URL that may be a template', async () => {
    const [request] = await requestsOf(webhook({ url: createSecret('https://hooks.test/{{ status }}') }));
    expect(request).toMatchObject({ method: 'POST', url: 'https://hooks.test/firing' });
    expect(request?.headers).toEqual({ 'content-type': 'application/json', 'user-agent': 'Quarterdeck', 'idempotency-key': 'main/ops/1' });
  });

  it('is input without a URL', async () => {
    await expect(requestsOf(webhook({ url: createSecret('') }))).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('http_config', () => {
  const headersOf = async (http_config: object) => (await requestsOf(webhook({ http_config })))[0]?.headers;

  it.each([
    [{ basic_auth: { username: 'me', password: createSecret('word') } }, `Basic ${Buffer.from('me:word').toString('base64')}`],
    [{ authorization: { credentials: createSecret('t') } }, 'Bearer t'],
    [{ authorization: { type: 'Token', credentials: createSecret(' t\n') } }, 'Token t'],
    [{ bearer_token: createSecret('t') }, 'Bearer t'],
  ])('authorizes: %#', async (config, header) => expect((await headersOf(config))?.authorization).toBe(header));

  it('adds headers, and no proxy', async () => {
    expect(await headersOf({ http_headers: { 'X-Team': { values: ['a', 'b'], secrets: [createSecret('c')] } } })).toMatchObject({
      'x-team': 'a, b, c',
    });
    for (const config of [{ proxy_url: 'http://proxy.test' }, { proxy_from_environment: true }]) {
      await expect(headersOf(config)).rejects.toMatchObject({ kind: 'input' });
    }
  });

  it('sets TLS, OAuth 2, redirects and the time', async () => {
    const tls_config = { ca: 'CA', cert: 'C', key: createSecret('K'), server_name: 's', insecure_skip_verify: true, min_version: 'TLS12' };
    const oauth2 = {
      client_id: 'id',
      client_secret: createSecret('word'),
      token_url: 'https://id.test',
      scopes: ['a'],
      endpoint_params: { b: 'c' },
    };
    const [request] = await requestsOf(webhook({ timeout: 3_000, http_config: { tls_config, oauth2, follow_redirects: false } }));
    expect(request).toMatchObject({
      timeoutMs: 3_000,
      followRedirects: false,
      tls: { ca: 'CA', cert: 'C', key: 'K', serverName: 's', insecureSkipVerify: true, minVersion: 'TLSv1.2', maxVersion: undefined },
      oauth2: { clientId: 'id', clientSecret: 'word', tokenUrl: 'https://id.test', scopes: ['a'], endpointParams: { b: 'c' } },
    });
  });
});

describe('a message to Slack', () => {
  it('is one attachment, of which only what Slack wants is there empty', async () => {
    expect(await bodyOf(slack({ channel: '#ops', title: '{{ status }}' }))).toEqual({
      channel: '#ops',
      attachments: [{ title: 'firing', text: '', fallback: '', callback_id: '', footer: '', mrkdwn_in: ['fallback', 'pretext', 'text'] }],
    });
  });

  it('has fields and actions', async () => {
    const confirm = { text: 'sure?', ok_text: 'yes' };
    const settings = {
      fields: [
        { title: 'a', value: '{{ status }}' },
        { title: 'b', value: 'c', short: false },
      ],
      short_fields: true,
      actions: [
        { type: 'button', text: 'Open', url: 'https://x.test', name: 'lost', confirm },
        { type: 'button', text: 'Ack', name: 'ack', value: '{{ alerts }}', style: 'danger', confirm },
      ],
      link_names: true,
      mrkdwn_in: ['text'],
    };
    expect(await bodyOf(slack(settings))).toMatchObject({
      link_names: true,
      attachments: [
        {
          fields: [
            { title: 'a', value: 'firing', short: true },
            { title: 'b', value: 'c', short: false },
          ],
          actions: [
            { type: 'button', text: 'Open', url: 'https://x.test' },
            { type: 'button', text: 'Ack', name: 'ack', value: '2', style: 'danger', confirm: { text: 'sure?', ok_text: 'yes' } },
          ],
          mrkdwn_in: ['text'],
        },
      ],
    });
  });

  it('has a title of 1,024 characters at most', async () => {
    const body = (await bodyOf(slack({ title: '😀'.repeat(2_000) }))) as { attachments: { title: string }[] };
    expect(Array.from(body.attachments[0]!.title)).toHaveLength(1_024);
    expect(body.attachments[0]!.title.endsWith('😀…')).toBe(true);
  });

  it('goes by an app with its token', async () => {
    const [request] = await requestsOf(slack({ api_url: undefined, app_token: createSecret('xoxb-1') }));
    expect(request).toMatchObject({ url: 'https://slack.com/api/chat.postMessage', headers: { authorization: 'Bearer xoxb-1' } });
    await expect(requestsOf(slack({ api_url: undefined }))).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('an event for PagerDuty', () => {
  it('triggers and resolves by the key of the group', async () => {
    const settings = {
      description: 'it is {{ status }}',
      client: 'Q',
      class: 'c',
      details: { n: '{{ alerts }}' },
      images: [{ src: 'https://i.test', alt: 'i' }, { src: '' }],
      links: [{ href: '', text: 'none' }],
    };
    const event = {
      routing_key: 'key',
      dedup_key: hashKey('{}:{alertname="Down"}'),
      client: 'Q',
      event_action: 'trigger',
      payload: { summary: 'it is firing', source: 'Q', severity: 'error', class: 'c', custom_details: { n: 2 } },
      images: [{ src: 'https://i.test', alt: 'i', href: '' }],
    };
    expect(await bodyOf(pagerduty(settings))).toEqual(event);
    const after = await bodyOf(pagerduty(settings), resolved(notificationOf()));
    expect(after).toMatchObject({ event_action: 'resolve', dedup_key: event.dedup_key });
    expect((await requestsOf(pagerduty()))[0]?.url).toBe('https://events.pagerduty.com/v2/enqueue');
  });

  it('is without details if it would be larger than 512 KB, and input if it still is', async () => {
    const body = await bodyOf(pagerduty({ details: { all: 'x'.repeat(520_000) } }));
    expect(body).toMatchObject({ payload: { custom_details: { error: expect.stringContaining('512 KB') as string } } });
    const links = [{ href: 'x'.repeat(520_000) }];
    await expect(bodyOf(pagerduty({ links }))).rejects.toMatchObject({ kind: 'input' });
  });

  it('is of the older API with a service key', async () => {
    const settings = { service_key: createSecret('old'), routing_key: undefined, description: 'd', client: 'Q', details: { a: 'b' } };
    const [request] = await requestsOf(pagerduty(settings));
    expect(request?.url).toBe('https://events.pagerduty.com/generic/2010-04-15/create_event.json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      service_key: 'old',
      incident_key: hashKey('{}:{alertname="Down"}'),
      event_type: 'trigger',
      description: 'd',
      client: 'Q',
      details: { a: 'b' },
    });
    await expect(requestsOf(pagerduty({ routing_key: createSecret(' ') }))).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('requests to Opsgenie', () => {
  const alias = hashKey('{}:{alertname="Down"}');

  it('create an alert under the alias of the group', async () => {
    const settings = {
      api_url: 'https://opsgenie.test/base',
      message: 'm'.repeat(200),
      details: { state: '{{ status }}' },
      tags: 'a,,b',
      responders: [
        { name: 'x,y', type: 'teams' },
        { id: '{{ nothing }}'.slice(99), type: '' },
        { username: 'u', type: 'user' },
      ],
    };
    const [request] = await requestsOf(opsgenie(settings));
    expect(request).toMatchObject({
      method: 'POST',
      url: 'https://opsgenie.test/base/v2/alerts',
      headers: { authorization: 'GenieKey key' },
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      alias,
      message: `${'m'.repeat(129)}…`,
      details: { alertname: 'Down', job: 'node', state: 'firing' },
      source: '',
      tags: ['a', 'b'],
      responders: [
        { name: 'x', type: 'team' },
        { name: 'y', type: 'team' },
        { username: 'u', type: 'user' },
      ],
    });
  });

  it('update it too where that is asked for', async () => {
    const requests = await requestsOf(opsgenie({ update_alerts: true, message: 'm', description: 'd' }));
    expect(requests.map(({ method, url, body }) => [method, url, body]).slice(1)).toEqual([
      ['PUT', `https://api.opsgenie.com/v2/alerts/${alias}/message?identifierType=alias`, '{"message":"m"}'],
      ['PUT', `https://api.opsgenie.com/v2/alerts/${alias}/description?identifierType=alias`, '{"description":"d"}'],
    ]);
  });

  it('close it when all is resolved', async () => {
    const requests = await requestsOf(opsgenie({ source: 's', update_alerts: true }), resolved(notificationOf()));
    expect(requests).toMatchObject([
      { url: `https://api.opsgenie.com/v2/alerts/${alias}/close?identifierType=alias`, body: '{"source":"s"}' },
    ]);
  });

  it('are input without a key or with an address that is none', async () => {
    await expect(requestsOf(opsgenie({ api_key: undefined }))).rejects.toMatchObject({ kind: 'input' });
    await expect(requestsOf(opsgenie({ api_url: 'nowhere' }))).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('a card for Teams', () => {
  const settings = { webhook_url: createSecret('https://teams.test/x'), title: 'T {{ status }}', summary: 'S', text: 'X' };

  it.each([
    ['8C1A1A', notificationOf()],
    ['2DC72D', resolved(notificationOf())],
  ])('is a connector card of colour %s', async (themeColor, notification) => {
    const title = `T ${themeColor === '8C1A1A' ? 'firing' : 'resolved'}`;
    const card = { '@context': 'http://schema.org/extensions', type: 'MessageCard', title, summary: 'S', text: 'X', themeColor };
    expect(await bodyOf({ kind: 'msteams', settings }, notification)).toEqual(card);
  });

  it.each([
    ['Attention', notificationOf()],
    ['Good', resolved(notificationOf())],
  ])('is an adaptive card of colour %s for a workflow', async (color, notification) => {
    const body = await bodyOf({ kind: 'msteamsv2', settings }, notification);
    expect(body).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            type: 'AdaptiveCard',
            version: '1.2',
            msteams: { width: 'full' },
            body: [
              { color, weight: 'Bolder' },
              { text: 'X', wrap: true },
            ],
          },
        },
      ],
    });
  });

  it('is input without an address', async () => {
    await expect(bodyOf({ kind: 'msteams', settings: {} })).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('a mail', () => {
  const mailOf = async (receiver: ReceiverSettings, notification = notificationOf()) => {
    const { sendings } = await composeNotification(receiver, notification, renderers);
    const [sending] = sendings;
    if (sending?.via !== 'mail') throw new Error(sending?.via);
    return sending.message;
  };

  it('goes to all addresses by the server that is set, with the Message-ID of the delivery', async () => {
    const settings = { headers: { subject: 'It is\n{{ status }}', 'X-Team': 'ops' }, html: '{{ status }}', text: '{{ status }}' };
    const auth = { auth_username: 'me', auth_password: createSecret('word') };
    const message = await mailOf(email({ ...settings, ...auth }));
    expect(message).toMatchObject({
      from: 'Ops <ops@x.org>',
      to: ['a@x.org', 'b@x.org'],
      subject: 'It is firing',
      headers: { 'X-Team': 'ops' },
      messageId: `${hashKey('main/ops/1').slice(0, 32)}@quarterdeck`,
      text: 'firing',
      html: '<b>firing</b>',
      server: {
        host: 'mail.test',
        port: 587,
        implicitTls: false,
        requireTls: true,
        auth: { username: 'me', password: 'word', secret: '' },
      },
    });
  });

  it.each([
    ['mail.test:465', {}, true],
    ['mail.test:465', { force_implicit_tls: false }, false],
    ['[2606:4700::1111]:25', { force_implicit_tls: true }, true],
  ])('starts with TLS at %s %j: %s', async (smarthost, given, implicitTls) => {
    expect((await mailOf(email({ smarthost, ...given }))).server).toMatchObject({ implicitTls });
  });

  it.each([
    ['daily', '-2026-03-01@quarterdeck>'],
    ['none', '-@quarterdeck>'],
  ])('is in a thread of its group, %s', async (thread_by_date, end) => {
    const { headers } = await mailOf(email({ threading: { enabled: true, thread_by_date } }));
    expect(headers.References).toBe(`<alert-${hashKey('{}:{alertname="Down"}').slice(0, 16)}${end}`);
    expect(headers['In-Reply-To']).toBe(headers.References);
  });

  it.each([
    [{ to: '' }],
    [{ to: 'nobody' }],
    [{ to: 'a@x.org\r\nBcc: b@x.org' }],
    [{ to: 'a@x.org> RCPT TO:<b@x.org' }],
    [{ from: 'a@x.org, b@x.org' }],
    [{ smarthost: 'mail.test' }],
  ])('is input with %j', async (given) => await expect(mailOf(email(given))).rejects.toMatchObject({ kind: 'input' }));
});

describe('a message to SNS', () => {
  const messageOf = async (receiver: ReceiverSettings) => {
    const { sendings } = await composeNotification(receiver, notificationOf(), renderers);
    const [sending] = sendings;
    if (sending?.via !== 'topics') throw new Error(sending?.via);
    return sending.message;
  };

  it('has subject and attributes', async () => {
    const settings = { subject: `Grö\nße ${'x'.repeat(200)}`, attributes: { '{{ status }}': '{{ alerts }}' } };
    const sigv4 = { region: 'eu-west-1', access_key: 'AK', secret_key: createSecret('SK') };
    const message = await messageOf(sns({ ...settings, sigv4 }));
    expect(message).toMatchObject({
      topicArn: 'arn:aws:sns:eu-west-1:1:ops',
      message: 'm',
      attributes: { firing: '2' },
      fifo: undefined,
      access: { region: 'eu-west-1', credentials: { accessKeyId: 'AK', secretAccessKey: 'SK' } },
    });
    expect(message.subject).toMatch(/^Gr\? \?e x+~$/);
    expect(message.subject).toHaveLength(100);
  });

  it('is one delivery in its group on a FIFO topic', async () => {
    const { fifo } = await messageOf(sns({ topic_arn: 'arn:aws:sns:eu-west-1:1:ops.fifo' }));
    expect(fifo).toEqual({ groupId: hashKey('{}:{alertname="Down"}'), deduplicationId: hashKey('main/ops/1') });
  });

  it('is cut to what SNS takes, and says so', async () => {
    const long = await messageOf(sns({ message: 'ä'.repeat(200_000), attributes: { a: 'b' } }));
    expect(long.attributes).toEqual({ a: 'b', truncated: 'true' });
    const bytes = Buffer.byteLength(long.message) + Buffer.byteLength('aStringbtruncatedStringtrue');
    expect(bytes).toBeGreaterThan(256 * 1_024 - 2);
    expect(bytes).toBeLessThanOrEqual(256 * 1_024);
    const sms = await messageOf(sns({ topic_arn: undefined, phone_number: '+49123', message: 'x'.repeat(2_000) }));
    expect(sms.message).toHaveLength(1_600);
  });

  it.each([
    [{ topic_arn: undefined }],
    [{ phone_number: '+49123' }],
    [{ message: '' }],
    [{ sigv4: { role_arn: 'arn:aws:iam::1:role/x' } }],
  ])('is input with %j', async (given) => await expect(messageOf(sns(given))).rejects.toMatchObject({ kind: 'input' }));
});

describe('an event on the bus', () => {
  const eventOf = async (notification: Notification) => {
    const { sendings } = await composeNotification({ kind: 'eventbridge', settings: {} }, notification, renderers);
    const [sending] = sendings;
    if (sending?.via !== 'bus') throw new Error(sending?.via);
    return sending.event;
  };

  it('tells the group and its alerts', async () => {
    const event = await eventOf(notificationOf({ receiver: 'a.b' }));
    expect(event).toMatchObject({
      source: 'quarterdeck.alerts',
      detailType: 'Notification Sent',
      detail: { id: 'main/ops/1', tenant: 'main', at: '2026-03-01T12:01:00.250Z', receiver: 'a.b', status: 'firing', truncatedAlerts: 0 },
    });
  });

  it('has as many alerts as fit', async () => {
    const alerts = Array.from({ length: 5_000 }, (_, i) => alertOf({ alertname: 'Down', instance: `host-${i}` }));
    const { detail } = await eventOf(notificationOf({ alerts }));
    const told = (detail.alerts as unknown[]).length;
    expect(told).toBeGreaterThan(100);
    expect(detail.truncatedAlerts).toBe(5_000 - told);
    expect(Buffer.byteLength(JSON.stringify(detail))).toBeLessThan(200_000);
  });
});
