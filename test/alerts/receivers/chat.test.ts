import { describe, expect, it } from 'vitest';
import { createSecret } from '#alerts/routing/secret.ts';
import { bodyOf, requestsOf, slack } from './composed.ts';
import { notificationOf, resolved } from './notifications.ts';

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

  it.each(['msteams', 'msteamsv2'] as const)('is cut to what Teams takes: %s', async (kind) => {
    const long = { ...settings, text: 'ä"\n'.repeat(40_000) };
    const [request] = await requestsOf({ kind, settings: long });
    const bytes = Buffer.byteLength(request?.body ?? '');
    expect(bytes).toBeLessThanOrEqual(28 * 1_024);
    expect(bytes).toBeGreaterThan(10 * 1_024);
    expect(request?.body).toContain('…');
    await expect(requestsOf({ kind, settings: { ...settings, title: 'x'.repeat(30_000) } })).rejects.toMatchObject({ kind: 'input' });
  });

  it('is input without an address', async () => {
    await expect(bodyOf({ kind: 'msteams', settings: {} })).rejects.toMatchObject({ kind: 'input' });
  });
});
