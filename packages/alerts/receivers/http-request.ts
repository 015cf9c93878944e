import { OpsError } from '#core/errors.ts';
import type { OutgoingOAuth2, OutgoingRequest, OutgoingTls, TlsVersion } from '#ports/outgoing.ts';
import type { Revealer } from './redact.ts';
import type { HttpConfig, TlsConfig } from './settings.ts';

/** What a receiver wants sent. */
export interface Draft {
  readonly method?: 'POST' | 'PUT' | undefined;
  readonly url: string;
  /** Sent as JSON. */
  readonly body: unknown;
  /** Go before those of http_config. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;
// No receiver's answer says more than a status, a few ids, or why it refuses.
const MAX_RESPONSE_BYTES = 64_000;

/** The request of a receiver with what its http_config adds. `input` for settings that would be broken by being ignored: a proxy. */
export function createRequest(
  draft: Draft,
  config: { readonly http_config?: HttpConfig | undefined; readonly timeout?: number | undefined },
  revealer: Revealer,
): OutgoingRequest {
  const http = config.http_config ?? {};
  if (http.proxy_url || http.proxy_from_environment) {
    throw new OpsError('input', 'a receiver with a proxy is not sent to: behind a proxy its address could not be checked', {
      hint: 'Take proxy_url and proxy_from_environment out of http_config.',
    });
  }
  return {
    method: draft.method ?? 'POST',
    url: draft.url,
    headers: lowerCased({
      'content-type': 'application/json',
      'user-agent': 'Quarterdeck',
      ...readAuthorization(http, revealer),
      ...readHeaders(http, revealer),
      ...draft.headers,
    }),
    body: JSON.stringify(draft.body),
    timeoutMs: Math.min(config.timeout || DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS),
    maxResponseBytes: MAX_RESPONSE_BYTES,
    followRedirects: http.follow_redirects ?? true,
    tls: readTls(http.tls_config, revealer),
    oauth2: readOAuth2(http, revealer),
  };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function readAuthorization({ basic_auth: basic, authorization }: HttpConfig, revealer: Revealer): Record<string, string> {
  if (basic !== undefined) {
    const pair = `${basic.username ?? ''}:${revealer.reveal(basic.password)}`;
    return { authorization: `Basic ${revealer.hide(Buffer.from(pair).toString('base64'))}` };
  }
  if (authorization?.credentials === undefined) return {};
  return { authorization: `${authorization.type || 'Bearer'} ${revealer.reveal(authorization.credentials).trim()}` };
}

function readHeaders({ http_headers: headers = {} }: HttpConfig, revealer: Revealer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { values = [], secrets = [] }]) => [
      name,
      [...values, ...secrets.map((secret) => revealer.reveal(secret))].join(', '),
    ]),
  );
}

const versions: Readonly<Record<string, TlsVersion>> = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' };

/** A tls_config as the ports have it. */
export function readTls(config: TlsConfig | undefined, revealer: Revealer): OutgoingTls | undefined {
  if (config === undefined) return undefined;
  return {
    ca: config.ca || undefined,
    cert: config.cert || undefined,
    key: config.key === undefined ? undefined : revealer.reveal(config.key),
    serverName: config.server_name || undefined,
    insecureSkipVerify: config.insecure_skip_verify,
    minVersion: versions[config.min_version ?? ''],
    maxVersion: versions[config.max_version ?? ''],
  };
}

function readOAuth2({ oauth2 }: HttpConfig, revealer: Revealer): OutgoingOAuth2 | undefined {
  if (oauth2 === undefined) return undefined;
  if (oauth2.grant_type && oauth2.grant_type !== 'client_credentials') {
    throw new OpsError('input', 'of OAuth 2 only the grant client_credentials is honoured');
  }
  return {
    clientId: oauth2.client_id,
    clientSecret: revealer.reveal(oauth2.client_secret),
    tokenUrl: oauth2.token_url,
    scopes: oauth2.scopes ?? [],
    endpointParams: oauth2.endpoint_params ?? {},
    tls: readTls(oauth2.tls_config, revealer),
  };
}
