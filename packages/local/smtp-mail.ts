import { createTransport } from 'nodemailer';
import { OpsError } from '#core/errors.ts';
import { classifyAddress } from '#net/address.ts';
import { connectChecked } from '#net/checked-socket.ts';
import { toTlsOptions } from '#net/exchange.ts';
import type { GuardDeps } from '#net/guard.ts';
import type { Mail, MailMessage, SmtpServer } from '#ports/mail.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The Mail port over SMTP, a connection for each mail, to a server whose addresses are checked as those of outgoing HTTP are. */
export function createSmtpMail(deps: GuardDeps): Mail {
  return {
    async send(message) {
      const { server } = message;
      if (server === undefined)
        throw new OpsError('input', 'a mail has no server to go by', { hint: 'Set smarthost, or global smtp_smarthost.' });
      await sendOver(deps, server, message);
    },
  };
}

async function sendOver(deps: GuardDeps, server: SmtpServer, message: MailMessage): Promise<void> {
  const what = `smtp ${server.host}:${server.port}`;
  const socket = await connectChecked(deps, server.host, server.port, Math.min(CONNECT_TIMEOUT_MS, message.timeoutMs));
  const timer = setTimeout(() => socket.destroy(), message.timeoutMs);
  const local = classifyAddress(socket.remoteAddress ?? '').range === 'loopback';
  const transport = createTransport({
    ...toTransport(server, local),
    connection: socket,
    greetingTimeout: message.timeoutMs,
    socketTimeout: message.timeoutMs,
    // Texts of templates are texts, whatever they look like.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const { rejectedErrors = [] } = await transport.sendMail(toMail(message));
    if (rejectedErrors.length > 0) {
      const kind = rejectedErrors.every(({ responseCode = 0 }: SmtpError) => responseCode >= 500) ? 'input' : 'unavailable';
      throw new OpsError(kind, `${what}: ${rejectedErrors.length} of ${message.to.length} recipients were refused`);
    }
  } catch (error) {
    throw toOpsError(error, what);
  } finally {
    clearTimeout(timer);
    transport.close();
    socket.destroy();
  }
}

/** True where mail does not go without TLS: if that is asked for, or credentials would cross a network in the clear. */
export function needsStartTls({ implicitTls, requireTls, auth }: SmtpServer, onThisMachine: boolean): boolean {
  return !implicitTls && (requireTls || (auth !== undefined && !onThisMachine));
}

function toTransport(server: SmtpServer, onThisMachine: boolean) {
  const { host, port, implicitTls, tls, hello, auth } = server;
  const method = auth?.password === '' ? { method: 'CRAM-MD5' } : {};
  return {
    host,
    port,
    secure: implicitTls,
    requireTLS: needsStartTls(server, onThisMachine),
    name: hello,
    tls: { servername: host, ...toTlsOptions(tls) },
    ...(auth === undefined ? {} : { auth: { user: auth.username, pass: auth.password || auth.secret, ...method } }),
  };
}

function toMail({ from, to, subject, headers, messageId, text, html }: MailMessage) {
  const shown = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const others = Object.entries(headers).filter(([name]) => !['from', 'to'].includes(name.toLowerCase()));
  return {
    envelope: { from, to: [...to] },
    from: shown.get('from') ?? from,
    to: shown.get('to') ?? to.join(', '),
    subject,
    messageId: `<${messageId}>`,
    headers: others.map(([key, value]) => ({ key, value })),
    text: text === '' && html !== '' ? undefined : text,
    html: html === '' ? undefined : html,
  };
}

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** By the server's code: 4xx passes, 5xx does not. Its words are left out, but for the enhanced code: they may repeat what was sent. */
function toOpsError(error: unknown, what: string): unknown {
  if (error instanceof OpsError) return error;
  const { code = 'failed', responseCode = 0, response = '' } = error as SmtpError;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(response)?.[1];
  const said = [responseCode || undefined, enhanced].filter((part) => part !== undefined).join(' ');
  const text = `${what}: ${code}${said === '' ? '' : `, answered ${said}`}`;
  // A server without TLS may get it; the mail is not lost for it.
  if (responseCode < 500 || code === 'ETLS') return new OpsError(code === 'EAUTH' && responseCode === 0 ? 'denied' : 'unavailable', text);
  return new OpsError(code === 'EAUTH' ? 'denied' : 'input', text);
}
