import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createSmtpMail, needsStartTls } from '#local/smtp-mail.ts';
import type { MailMessage, SmtpServer } from '#ports/mail.ts';
import { type SmtpServerOptions, startSmtpServer } from './smtp-server.ts';

const ca = readFileSync(new URL('../net/certificates/ca.pem', import.meta.url), 'utf8');
const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
const mail = createSmtpMail({ resolve, allowPrivate: true });

const started: { close(): Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(started.splice(0).map((server) => server.close()))));
async function start(options: SmtpServerOptions = {}) {
  const server = await startSmtpServer(options);
  started.push(server);
  return server;
}

const messageOf = (server: Partial<SmtpServer> & { port: number }, given: Partial<MailMessage> = {}): MailMessage => ({
  server: { host: 'mail.test', implicitTls: false, requireTls: false, tls: { ca }, hello: 'ops.test', ...server },
  from: 'Ops <ops@example.org>',
  to: ['a@example.org', 'b@example.org'],
  subject: '[FIRING:1] Größe',
  headers: { References: '<alert-1@quarterdeck>', To: 'Team <a@example.org>' },
  messageId: 'id-1@quarterdeck',
  text: 'first\n.dot\nGrüße',
  html: '<p>first</p>',
  timeoutMs: 5_000,
  ...given,
});

describe('mail over SMTP', () => {
  it('goes to every address, with its headers and both parts', async () => {
    const server = await start();
    await mail.send(messageOf(server));
    expect(server.received).toMatchObject([{ from: 'ops@example.org', to: ['a@example.org', 'b@example.org'], secure: false, auth: '' }]);
    const data = server.received[0]?.data ?? '';
    expect(data).toMatch(/^From: Ops <ops@example\.org>\r$/m);
    expect(data).toMatch(/^To: Team <a@example\.org>\r$/m);
    expect(data).toMatch(/^Message-ID: <id-1@quarterdeck>\r$/m);
    expect(data).toMatch(/^References: <alert-1@quarterdeck>\r$/m);
    expect(data).toMatch(/^Subject: .*=\?UTF-8\?/m);
    expect(data).toMatch(/multipart\/alternative/);
    expect(data.indexOf('text/plain')).toBeLessThan(data.indexOf('text/html'));
    expect(data).toMatch(/^\.dot\r$/m);
    expect(data).toContain('Gr=C3=BC=C3=9Fe');
    expect(server.commands[0]).toBe('EHLO ops.test');
  });

  it('has only the parts that there are', async () => {
    const server = await start();
    await mail.send(messageOf(server, { html: '' }));
    await mail.send(messageOf(server, { text: '' }));
    expect(server.received.map(({ data }) => [data.includes('text/plain'), data.includes('text/html')])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('reads no file and fetches nothing, whatever a text looks like', async () => {
    const server = await start();
    await mail.send(
      messageOf(server, { text: '/etc/hostname', html: '<img src="file:///etc/hostname">', subject: 'x\r\nBcc: c@example.org' }),
    );
    expect(server.received[0]?.to).toHaveLength(2);
    expect(server.received[0]?.data).not.toMatch(/^Bcc/m);
  });

  it.each([
    ['upgrades where TLS is offered', { extensions: ['STARTTLS'] }, {}],
    ['upgrades where TLS is required', { extensions: ['STARTTLS'] }, { requireTls: true }],
    ['starts with TLS', { implicitTls: true }, { implicitTls: true }],
  ])('%s', async (_, options, given) => {
    const server = await start(options);
    await mail.send(messageOf({ port: server.port, ...given }));
    expect(server.received).toMatchObject([{ secure: true }]);
  });

  it('logs in once TLS stands', async () => {
    const server = await start({ extensions: ['STARTTLS', 'AUTH PLAIN LOGIN'] });
    await mail.send(messageOf({ port: server.port, requireTls: true, auth: { username: 'me', password: 'word', secret: '' } }));
    expect(server.received).toMatchObject([{ secure: true, auth: '\0me\0word' }]);
  });

  it.each([
    ['unavailable', 'TLS is required and not offered', {}, { requireTls: true }],
    ['unavailable', 'the certificate is for another name', { extensions: ['STARTTLS'] }, { host: 'wrong.test' }],
    ['unavailable', 'the server is busy', { answer: (command: string) => (command.startsWith('MAIL') ? '451 4.3.2 busy' : undefined) }, {}],
    ['unavailable', 'the mail is not taken now', { answer: (command: string) => (command === '.' ? '452 4.3.1 full' : undefined) }, {}],
    [
      'unavailable',
      'some recipients are not taken now',
      { answer: (command: string) => (command.includes('<b@') ? '450 4.2.1 later' : undefined) },
      {},
    ],
    ['unavailable', 'the server hangs', { answer: (command: string) => (command.startsWith('EHLO') ? 'hang' : undefined) }, {}],
    [
      'input',
      'some recipients are unknown',
      { answer: (command: string) => (command.includes('<b@') ? '550 5.1.1 unknown' : undefined) },
      {},
    ],
    [
      'input',
      'all recipients are unknown',
      { answer: (command: string) => (command.startsWith('RCPT') ? '550 5.1.1 unknown' : undefined) },
      {},
    ],
    ['input', 'the mail is refused', { answer: (command: string) => (command === '.' ? '554 5.7.1 spam' : undefined) }, {}],
    [
      'denied',
      'the credentials are refused',
      { extensions: ['AUTH PLAIN'], answer: (command: string) => (command.startsWith('AUTH') ? `535 5.7.8 no: ${command}` : undefined) },
      { auth: { username: 'me', password: 'word-secret', secret: '' } },
    ],
  ])('is %s if %s', async (kind, _, options, given) => {
    const server = await start(options);
    const error = await mail.send(messageOf({ port: server.port, ...given }, { timeoutMs: 500 })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'OpsError', kind });
    const told = JSON.stringify([error, (error as Error).message, (error as Error).stack, (error as Error).cause]);
    for (const secret of ['word-secret', Buffer.from('\0me\0word-secret').toString('base64')]) expect(told).not.toContain(secret);
  });

  it('is unavailable if nobody listens, and input if there is no server to go by', async () => {
    const server = await start();
    await server.close();
    await expect(mail.send(messageOf(server))).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(mail.send({ ...messageOf(server), server: undefined })).rejects.toMatchObject({ kind: 'input' });
  });

  it('reaches no address that outgoing HTTP would not', async () => {
    const server = await start();
    await expect(createSmtpMail({ resolve, allowPrivate: false }).send(messageOf(server))).rejects.toMatchObject({ kind: 'denied' });
    expect(server.commands).toEqual([]);
  });

  it('tells credentials in the clear on this machine alone', async () => {
    const server = await start({ extensions: ['AUTH PLAIN'] });
    const auth = { username: 'me', password: 'word', secret: '' };
    const message = messageOf({ port: server.port, auth });
    await mail.send(message);
    expect(server.received).toMatchObject([{ secure: false, auth: '\0me\0word' }]);
    expect([needsStartTls(message.server!, true), needsStartTls(message.server!, false)]).toEqual([false, true]);
  });
});
