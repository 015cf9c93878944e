import { describe, expect, it } from 'vitest';
import { createSecret } from '#alerts/routing/secret.ts';
import { bodyOf, requestsOf, slack, webhook } from './composed.ts';
import { alertOf, notificationOf, resolved } from './notifications.ts';

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
      land: 'no',
      order: '12345678901234567890',
      far: '.inf',
      empty: '',
      twice: 'a: 1\na: 2',
      id: '"12"',
    };
    expect(await bodyOf(webhook({ payload }))).toEqual({
      state: 'firing',
      count: 2,
      list: ['x firing', 1, null],
      k2: [{ a: 1 }],
      text: 'a: b: c',
      land: 'no',
      order: '12345678901234567890',
      far: '.inf',
      empty: null,
      twice: 'a: 1\na: 2',
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

describe('any receiver', () => {
  const [one, two] = notificationOf().alerts;
  const ended = { ...one!, endsAtMs: notificationOf().atMs };

  it('is not told what has ended unless it wants to be', async () => {
    const mixed = notificationOf({ alerts: [ended, two!] });
    expect(await bodyOf(webhook({ send_resolved: false }), mixed)).toMatchObject({ alerts: [{ labels: { instance: 'b' } }] });
    expect(await requestsOf(webhook({ send_resolved: false }), notificationOf({ alerts: [ended] }))).toEqual([]);
    expect(await bodyOf(webhook({ send_resolved: true }), mixed)).toMatchObject({ alerts: [{}, {}] });
  });

  it.each([
    [webhook({ url: undefined, url_file: '/etc/url' }), 'webhook: url_file is not read here'],
    [slack({ api_url_file: '/etc/url' }), 'slack: api_url_file is not read here'],
    [webhook({ http_config: { tls_config: { ca_file: '/etc/ca' } } }), 'webhook: http_config.tls_config.ca_file is not read here'],
    [
      webhook({ http_config: { authorization: { credentials_ref: 'x' } } }),
      'webhook: http_config.authorization.credentials_ref is not read here',
    ],
    [webhook({ http_config: { http_headers: { a: { files: ['/x'] } } } }), 'webhook: http_config.http_headers.a.files is not read here'],
    [webhook({ http_config: { oauth2: { grant_type: 'urn:jwt' } } }), 'webhook: of OAuth 2 only the grant client_credentials is honoured'],
  ])('is input with what is not honoured: %#', async (receiver, message) => {
    await expect(requestsOf(receiver)).rejects.toMatchObject({ kind: 'input', message });
  });

  it('may have names like those in what is its own', async () => {
    expect(await bodyOf(webhook({ url_file: '', payload: { log_file: 'x' } }))).toEqual({ log_file: 'x' });
  });
});
