import type * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { faults, flag, hostPort, optionalFlag, secret, settings, text, textMap } from './config-fields.ts';
import { canonicalHeader, tlsSettings } from './http-settings.ts';

const emailShape = settings('config.plain', {
  send_resolved: flag(),
  to: text(),
  from: text(),
  hello: text(),
  smarthost: hostPort(),
  auth_username: text(),
  auth_password: secret(),
  auth_password_file: text(),
  auth_secret: secret(),
  auth_secret_file: text(),
  auth_identity: text(),
  headers: textMap(),
  html: text('{{ template "email.default.html" . }}'),
  text: text(),
  require_tls: optionalFlag(),
  tls_config: tlsSettings.optional(),
  force_implicit_tls: optionalFlag(),
  threading: settings('config.ThreadingConfig', { enabled: flag(), thread_by_date: text() }).optional(),
});

type Email = z.infer<typeof emailShape>;

const hasHeader = (c: Email, name: string) => Object.keys(c.headers).some((own) => canonicalHeader(own) === name);

function findTwin(c: Email): string | undefined {
  const names = Object.keys(c.headers).map(canonicalHeader);
  return names.find((name, i) => names.indexOf(name) !== i);
}

/** Settings of mail. */
export const email = emailShape
  .superRefine(
    faults<Email>(
      [(c) => c.to === '', 'missing to address in email config'],
      [findTwin, (c) => `duplicate header ${quoteGo(findTwin(c) as string)} in email config`],
      [
        (c) => c.threading?.enabled && hasHeader(c, 'References'),
        'conflicting configuration: threading.enabled conflicts with custom References header',
      ],
      [
        (c) => c.threading?.enabled && hasHeader(c, 'In-Reply-To'),
        'conflicting configuration: threading.enabled conflicts with custom In-Reply-To header',
      ],
      [
        (c) => c.threading?.enabled && !['none', 'daily'].includes(c.threading.thread_by_date),
        "threading.thread_by_date must be either 'none' or 'daily'",
      ],
    ),
  )
  .transform((c) => ({
    ...c,
    headers: Object.fromEntries(Object.entries(c.headers).map(([name, value]) => [canonicalHeader(name), value])),
  }));
