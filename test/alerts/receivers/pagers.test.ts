import { describe, expect, it } from 'vitest';
import { hashKey } from '#alerts/receivers/notification.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import { bodyOf, opsgenie, pagerduty, requestsOf } from './composed.ts';
import { notificationOf, resolved } from './notifications.ts';

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
      description: 'd'.repeat(20_000),
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
      description: `${'d'.repeat(14_999)}…`,
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
