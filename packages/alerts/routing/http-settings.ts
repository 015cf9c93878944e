import * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { anyMap, faults, flag, list, refuse, secret, settings, text, textMap, texts } from './config-fields.ts';
import { createSecret, type Secret } from './secret.ts';

/** How many of the values are set. */
function count(...values: readonly unknown[]): number {
  return values.filter((value) => value !== undefined && value !== '' && value !== false).length;
}

const tlsVersion = z
  .string()
  .superRefine((value, context) => {
    if (!/^TLS1[0-3]$/.test(value)) refuse(context, `unknown TLS version: ${value}`);
  })
  .optional();

const tlsShape = settings('config.plain', {
  ca: text(),
  cert: text(),
  key: secret(),
  ca_file: text(),
  cert_file: text(),
  key_file: text(),
  ca_ref: text(),
  cert_ref: text(),
  key_ref: text(),
  server_name: text(),
  insecure_skip_verify: flag(),
  min_version: tlsVersion,
  max_version: tlsVersion,
});

/** Certificates and what is demanded of the other side's; `*_file` are paths. */
export const tlsSettings = tlsShape.superRefine(
  faults<z.infer<typeof tlsShape>>(
    [(c) => count(c.ca, c.ca_file, c.ca_ref) > 1, 'at most one of ca, ca_file & ca_ref must be configured'],
    [(c) => count(c.cert, c.cert_file, c.cert_ref) > 1, 'at most one of cert, cert_file & cert_ref must be configured'],
    [(c) => count(c.key, c.key_file, c.key_ref) > 1, 'at most one of key and key_file must be configured'],
    [(c) => hasCert(c) && !hasKey(c), 'exactly one of key or key_file must be configured when a client certificate is configured'],
    [(c) => hasKey(c) && !hasCert(c), 'exactly one of cert or cert_file must be configured when a client key is configured'],
  ),
);

function hasCert(c: z.infer<typeof tlsShape>): boolean {
  return count(c.cert, c.cert_file, c.cert_ref) > 0;
}

function hasKey(c: z.infer<typeof tlsShape>): boolean {
  return count(c.key, c.key_file, c.key_ref) > 0;
}

const header = settings('config.Header', {
  values: texts(),
  secrets: list(z.string().transform(createSecret), 'config.Secret').default([]),
  files: texts(),
});

const reservedHeaders = new Set(
  (
    'authorization host content-encoding content-length content-type user-agent connection keep-alive proxy-authenticate ' +
    'proxy-authorization www-authenticate accept-encoding x-prometheus-remote-write-version x-prometheus-remote-read-version ' +
    'x-prometheus-scrape-timeout-seconds x-amz-date x-amz-security-token x-amz-content-sha256'
  ).split(' '),
);

/** A header's name as Go writes it: `X-Some-Name`. */
export function canonicalHeader(name: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

const headers = z.record(z.string(), header).superRefine((value, context) => {
  const name = Object.keys(value).find((key) => reservedHeaders.has(key.toLowerCase()));
  if (name) refuse(context, `setting header ${quoteGo(canonicalHeader(name))} is not allowed`);
});

/** An address with a password in it is a secret as a whole. */
const proxyFields = {
  proxy_url: text().transform((value) => (/^[^/?#]*\/\/[^/?#]*:[^/?#]*@/.test(value) ? createSecret(value) : value)),
  no_proxy: text(),
  proxy_from_environment: flag(),
  proxy_connect_header: z.record(z.string(), list(z.string().transform(createSecret), 'config.Secret')).default({}),
};

const oauth2 = settings('config.plain', {
  client_id: text(),
  client_secret: secret(),
  client_secret_file: text(),
  client_secret_ref: text(),
  client_certificate_key_id: text(),
  client_certificate_key: secret(),
  client_certificate_key_file: text(),
  client_certificate_key_ref: text(),
  grant_type: text(),
  signature_algorithm: text(),
  iss: text(),
  audience: text(),
  claims: anyMap(),
  scopes: texts(),
  token_url: text(),
  endpoint_params: textMap(),
  tls_config: tlsSettings.optional(),
  ...proxyFields,
});

const authorization = settings('config.Authorization', {
  type: text(),
  credentials: secret(),
  credentials_file: text(),
  credentials_ref: text(),
});

/** What is sent as `Authorization`: a type and credentials, the latter perhaps in a file. */
export type Authorization = z.infer<typeof authorization>;

const shape = settings('config.plain', {
  basic_auth: settings('config.plain', {
    username: text(),
    username_file: text(),
    username_ref: text(),
    password: secret(),
    password_file: text(),
    password_ref: text(),
  }).optional(),
  authorization: authorization.optional(),
  oauth2: oauth2.optional(),
  bearer_token: secret(),
  bearer_token_file: text(),
  tls_config: tlsSettings.optional(),
  follow_redirects: flag(true),
  enable_http2: flag(true),
  http_headers: headers.optional(),
  ...proxyFields,
});

type Fields = z.infer<typeof shape>;

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const hasBearer = (c: Fields) => count(c.bearer_token, c.bearer_token_file) > 0;

const checkHttp = faults<Fields>(
  [(c) => count(c.bearer_token, c.bearer_token_file) > 1, 'at most one of bearer_token & bearer_token_file must be configured'],
  [
    (c) => (c.basic_auth || c.oauth2) && hasBearer(c),
    'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured',
  ],
  [
    ({ basic_auth: basic }) => basic && count(basic.username, basic.username_file, basic.username_ref) > 1,
    'at most one of basic_auth username, username_file & username_ref must be configured',
  ],
  [
    ({ basic_auth: basic }) => basic && count(basic.password, basic.password_file, basic.password_ref) > 1,
    'at most one of basic_auth password, password_file & password_ref must be configured',
  ],
  [(c) => c.authorization && hasBearer(c), 'authorization is not compatible with bearer_token & bearer_token_file'],
  [
    ({ authorization: auth }) => auth && count(auth.credentials, auth.credentials_file, auth.credentials_ref) > 1,
    'at most one of authorization credentials & credentials_file must be configured',
  ],
  [(c) => c.authorization?.type.trim().toLowerCase() === 'basic', 'authorization type cannot be set to "basic", use "basic_auth" instead'],
  [(c) => count(c.basic_auth, c.oauth2, c.authorization) > 1, 'at most one of basic_auth, oauth2 & authorization must be configured'],
  [(c) => c.oauth2?.client_id === '', 'oauth2 client_id must be configured'],
  [(c) => c.oauth2?.token_url === '', 'oauth2 token_url must be configured'],
  [({ oauth2: auth }) => auth && oauthFault(auth) !== undefined, ({ oauth2: auth }) => (auth && oauthFault(auth)) ?? ''],
  [
    (c) => Object.keys(c.proxy_connect_header).length > 0 && !c.proxy_from_environment && c.proxy_url === '',
    'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
  ],
  [(c) => c.proxy_from_environment && c.proxy_url !== '', 'if proxy_from_environment is configured, proxy_url must not be configured'],
  [(c) => c.proxy_from_environment && c.no_proxy !== '', 'if proxy_from_environment is configured, no_proxy must not be configured'],
  [(c) => c.proxy_url === '' && c.no_proxy !== '', 'if no_proxy is configured, proxy_url must also be configured'],
);

function oauthFault(auth: NonNullable<Fields['oauth2']>): string | undefined {
  if (auth.grant_type !== JWT_BEARER) {
    return count(auth.client_secret, auth.client_secret_file, auth.client_secret_ref) > 1
      ? 'at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using grant-type=client_credentials'
      : undefined;
  }
  if (count(auth.client_certificate_key, auth.client_certificate_key_file, auth.client_certificate_key_ref) > 1) {
    return `at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured using grant-type=${JWT_BEARER}`;
  }
  const known = ['', 'RS256', 'RS384', 'RS512'].includes(auth.signature_algorithm);
  return known ? undefined : 'valid signature algorithms are RS256, RS384 and RS512';
}

/** How calls to a receiver are made. A bearer token is turned into an authorization. */
export const httpSettings = shape.superRefine(checkHttp).transform(({ bearer_token, bearer_token_file, authorization: own, ...rest }) => {
  const bearer = bearer_token || bearer_token_file ? bearerAuthorization(bearer_token, bearer_token_file) : undefined;
  return { ...rest, authorization: own ? { ...own, type: own.type.trim() || 'Bearer' } : bearer };
});

/** The authorization that a token, or the path of a file that holds it, amounts to. */
export function bearerAuthorization(token: Secret | undefined, path: string): Authorization {
  return { type: 'Bearer', credentials: token, credentials_file: path, credentials_ref: '' };
}
