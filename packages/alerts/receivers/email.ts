import { OpsError } from '#core/errors.ts';
import { isoDate } from '#core/time.ts';
import type { SmtpServer } from '#ports/mail.ts';
import type { Composing, Sending } from './composing.ts';
import { readTls } from './http-request.ts';
import { parseMailAddresses } from './mail-addresses.ts';
import { hashKey, type Notification } from './notification.ts';
import type { Revealer } from './redact.ts';
import type { EmailConfig } from './settings.ts';

const DEFAULT_SUBJECT = '{{ template "email.default.subject" . }}';
const TIMEOUT_MS = 30_000;
// The mail's own: made by whoever sends it.
const made = new Set(['subject', 'message-id', 'date', 'mime-version', 'content-type', 'content-transfer-encoding', 'bcc']);

/** One mail to all addresses of `to`. Its Message-ID is that of the delivery, by which a second copy can be known. */
export async function composeEmail(settings: EmailConfig, composing: Composing): Promise<Sending[]> {
  const { notification, text, html, revealer } = composing;
  const given = new Map(Object.entries(settings.headers ?? {}).map(([name, template]) => [name.toLowerCase(), { name, template }]));
  const from = await text(settings.from);
  if (parseMailAddresses(from).length !== 1) throw new OpsError('input', 'a mail has exactly one address in from');
  const shownTo = await text(settings.to);
  const to = parseMailAddresses(shownTo);
  if (to.length === 0) throw new OpsError('input', 'a mail has no address in to');
  const headers: Record<string, string> = given.has('to') ? {} : { To: oneLine(shownTo) };
  for (const [key, { name, template }] of given) if (!made.has(key)) headers[name] = oneLine(await text(template));
  const message = {
    server: readServer(settings, revealer),
    from: oneLine(from),
    to,
    subject: oneLine(await text(given.get('subject')?.template ?? DEFAULT_SUBJECT)),
    headers: { ...headers, ...threadHeaders(settings, notification) },
    messageId: `${hashKey(notification.idempotencyKey).slice(0, 32)}@quarterdeck`,
    text: await text(settings.text),
    html: await html(settings.html),
    timeoutMs: TIMEOUT_MS,
  };
  return [{ via: 'mail', message }];
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+[ \t]*/g, ' ').trim();
}

/** A parent that no mail is: clients put all that name it into one thread. */
function threadHeaders({ threading }: EmailConfig, { groupKey, atMs }: Notification): Record<string, string> {
  if (!threading?.enabled) return {};
  const day = threading.thread_by_date === 'none' ? '' : isoDate(atMs);
  const root = `<alert-${hashKey(groupKey).slice(0, 16)}-${day}@quarterdeck>`;
  return { References: root, 'In-Reply-To': root };
}

function readServer(settings: EmailConfig, revealer: Revealer): SmtpServer | undefined {
  if (settings.smarthost === undefined) return undefined;
  if (settings.auth_identity) throw new OpsError('input', 'auth_identity of a mail receiver is not honoured: who logs in is who sends');
  const { host, port } = settings.smarthost;
  const username = settings.auth_username ?? '';
  const auth = { username, password: revealer.reveal(settings.auth_password), secret: revealer.reveal(settings.auth_secret) };
  return {
    host,
    port: readPort(port),
    implicitTls: settings.force_implicit_tls ?? port === '465',
    requireTls: settings.require_tls ?? true,
    tls: readTls(settings.tls_config, revealer),
    hello: settings.hello || 'localhost',
    auth: username === '' ? undefined : auth,
  };
}

// Go's configuration takes names too.
const named: Readonly<Record<string, number>> = { smtp: 25, smtps: 465, submission: 587 };

function readPort(text: string): number {
  const port = named[text] ?? Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new OpsError('input', 'the port of the smarthost is none');
  return port;
}
