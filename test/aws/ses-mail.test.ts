import { afterEach, describe, expect, it } from 'vitest';
import { createSesMail } from '#aws/ses-mail.ts';
import { defaultRetry } from '#core/retry.ts';
import type { MailMessage } from '#ports/mail.ts';
import { startServiceServer } from './service-server.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'key-secret' };
const retry = { ...defaultRetry, attempts: 2, sleep: async () => undefined };
const started: { close(): Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(started.splice(0).map((server) => server.close()))));

async function start(status = 200, type = '') {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...(type === '' ? {} : { 'x-amzn-errortype': type }) };
  const server = await startServiceServer(() => ({ status, headers, body: status === 200 ? '{"MessageId":"1"}' : '{"message":"no"}' }));
  started.push(server);
  return { server, mail: createSesMail({ region: 'eu-central-1', endpoint: server.endpoint, credentials, retry }) };
}

const message: MailMessage = {
  from: 'Wächter <ops@example.org>',
  to: ['a@example.org', 'b@example.org'],
  subject: '[FIRING:1] Größe',
  headers: { References: '<alert-1@quarterdeck>', 'X-Team': 'Größe', 'Reply-To': 'team@example.org', To: 'Team' },
  messageId: 'id-1@quarterdeck',
  text: '',
  html: '<p>x</p>',
  timeoutMs: 5_000,
};

describe('mail by SES', () => {
  it('carries subject, parts and headers, in ASCII where SES wants that', async () => {
    const { mail, server } = await start();
    await mail.send(message);
    expect(server.received[0]?.path).toBe('/v2/email/outbound-emails');
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      FromEmailAddress: '=?UTF-8?B?V8OkY2h0ZXI=?= <ops@example.org>',
      Destination: { ToAddresses: ['a@example.org', 'b@example.org'] },
      ReplyToAddresses: ['team@example.org'],
      Content: {
        Simple: {
          Subject: { Data: '[FIRING:1] Größe', Charset: 'UTF-8' },
          Body: { Html: { Data: '<p>x</p>', Charset: 'UTF-8' } },
          Headers: [
            { Name: 'References', Value: '<alert-1@quarterdeck>' },
            { Name: 'X-Team', Value: '=?UTF-8?B?R3LDtsOfZQ==?=' },
          ],
        },
      },
    });
  });

  it('is never without a body, and words of a long name are cut between characters', async () => {
    const { mail, server } = await start();
    await mail.send({ ...message, html: '', from: `${'ä'.repeat(50)} <ops@example.org>` });
    const sent = JSON.parse(server.received[0]?.body ?? '') as { FromEmailAddress: string; Content: { Simple: { Body: unknown } } };
    expect(sent.Content.Simple.Body).toEqual({ Text: { Data: ' ', Charset: 'UTF-8' } });
    const words = sent.FromEmailAddress.split(' ').slice(0, -1);
    expect(words.every((word) => word.length <= 75)).toBe(true);
    expect(words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString()).join('')).toBe('ä'.repeat(50));
  });

  it.each([
    ['unavailable', 500, 'InternalFailure', 1],
    ['unavailable', 429, 'TooManyRequestsException', 2],
    ['denied', 403, 'AccessDeniedException', 1],
    ['input', 400, 'MessageRejected', 1],
    ['input', 400, 'MailFromDomainNotVerifiedException', 1],
  ])('is %s after %i %s', async (kind, status, type, requests) => {
    const { mail, server } = await start(status, type);
    await expect(mail.send(message)).rejects.toMatchObject({ name: 'OpsError', kind });
    expect(server.received).toHaveLength(requests);
  });
});
