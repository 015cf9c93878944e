import { createHash } from 'node:crypto';
import { createCache } from '#core/bounded-cache.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Outgoing, OutgoingOAuth2, OutgoingRequest, OutgoingResponse } from '#ports/outgoing.ts';

export interface OAuth2Deps {
  readonly outgoing: Outgoing;
  readonly clock: Clock;
}

interface Token {
  readonly header: string;
  /** After this it is no longer used. */
  readonly untilMs: number;
}

// A token is not used in its last seconds: it has to live until the request has arrived.
const MARGIN_MS = 10_000;
const MAX_TOKENS = 1_000;
const MAX_TOKEN_BYTES = 64_000;

/**
 * Wraps an Outgoing so that requests with `oauth2` carry a token by client credentials. Tokens are kept in memory until they expire,
 * or a server answers 401. The token's server is reached through the same Outgoing. `unavailable` or `input` if it gives none.
 */
export function withOAuth2({ outgoing, clock }: OAuth2Deps): Outgoing {
  const tokens = createCache<Token>({ maxEntries: MAX_TOKENS });
  return {
    async send(request) {
      const { oauth2, ...plain } = request;
      if (oauth2 === undefined || hasAuthorization(request)) return outgoing.send(plain);
      const key = hashSettings(oauth2);
      const known = tokens.get(key);
      const token = known !== undefined && known.untilMs > clock() ? known : await fetchToken(outgoing, oauth2, request, clock);
      tokens.set(key, token);
      const response = await outgoing.send({ ...plain, headers: { ...plain.headers, authorization: token.header } });
      if (response.status === 401) tokens.set(key, { ...token, untilMs: 0 });
      return response;
    },
  };
}

function hasAuthorization({ headers }: OutgoingRequest): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

/** A digest, so that the key of the cache holds no secret. */
function hashSettings(oauth2: OutgoingOAuth2): string {
  return createHash('sha256').update(JSON.stringify(oauth2)).digest('hex');
}

async function fetchToken(outgoing: Outgoing, oauth2: OutgoingOAuth2, request: OutgoingRequest, clock: Clock): Promise<Token> {
  const form = new URLSearchParams({ ...oauth2.endpointParams, grant_type: 'client_credentials' });
  if (oauth2.scopes.length > 0) form.set('scope', oauth2.scopes.join(' '));
  const askedMs = clock();
  // RFC 6749, section 2.3.1: both are form-encoded before they become basic authentication.
  const pair = `${formEncode(oauth2.clientId)}:${formEncode(oauth2.clientSecret)}`;
  const send = (headers: Record<string, string>) =>
    outgoing.send({
      method: 'POST',
      url: oauth2.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers },
      body: form.toString(),
      timeoutMs: request.timeoutMs,
      maxResponseBytes: MAX_TOKEN_BYTES,
      followRedirects: request.followRedirects,
      tls: oauth2.tls,
    });
  const first = await send({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
  if (first.status < 400 || first.status >= 500 || first.status === 429) return readToken(first, askedMs);
  // Some servers want the credentials in the form instead, and answer 400 or 401 to basic authentication.
  form.set('client_id', oauth2.clientId);
  form.set('client_secret', oauth2.clientSecret);
  return readToken(await send({}), askedMs);
}

function formEncode(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}

function readToken(response: OutgoingResponse, askedMs: number): Token {
  if (response.status !== 200) {
    const kind = response.status >= 500 || response.status === 429 ? 'unavailable' : 'input';
    throw new OpsError(kind, `the OAuth 2 token endpoint answered ${response.status}`);
  }
  const { access_token: token, token_type: type, expires_in: seconds } = parseObject(response.body);
  if (typeof token !== 'string' || token === '') throw new OpsError('input', 'the OAuth 2 token endpoint answered without an access_token');
  const livesMs = Number(seconds) > 0 ? Number(seconds) * 1_000 - MARGIN_MS : Number.POSITIVE_INFINITY;
  const scheme = typeof type === 'string' && type !== '' && type.toLowerCase() !== 'bearer' ? type : 'Bearer';
  return { header: `${scheme} ${token}`, untilMs: askedMs + livesMs };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
