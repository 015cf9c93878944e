import { createHash, timingSafeEqual } from 'node:crypto';
import { OpsError } from '#core/errors.ts';

export type Scope = 'ingest' | 'query' | 'admin';

/** What a secret may do, by tenant; the first grant's tenant is meant where a request names none. */
export interface Grant {
  readonly tenant: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Finds what a secret grants; nothing where it is nobody's. */
export type Authenticate = (secret: string | undefined) => Promise<readonly Grant[]>;

export interface Token extends Grant {
  readonly token: string;
}

/**
 * Tokens from the settings. Without any, everybody is tenant `default` with all scopes: settings allow that on loopback only.
 * All tokens are compared, each in constant time, so that timing tells nothing of them.
 */
export function authenticateByTokens(tokens: readonly Token[]): Authenticate {
  const known = tokens.map((token) => ({ ...token, digest: sha256(token.token) }));
  return async (secret) => {
    if (tokens.length === 0) return [{ tenant: 'default', scopes: new Set<Scope>(['ingest', 'query', 'admin']) }];
    if (secret === undefined) return [];
    const digest = sha256(secret);
    return known.filter((entry) => timingSafeEqual(entry.digest, digest));
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The secret that a request carries: Bearer, Basic (its password; the user names the tenant), InfluxDB's Token, Firehose's access key. */
function secretOf(headers: Headers): { secret: string | undefined; user?: string | undefined } {
  const accessKey = headers.get('x-amz-firehose-access-key');
  const [scheme = '', credentials = ''] = (headers.get('authorization') ?? '').split(/ +/, 2);
  switch (scheme.toLowerCase()) {
    case 'bearer':
    case 'token':
      return { secret: credentials };
    case 'basic': {
      const decoded = Buffer.from(credentials, 'base64').toString('utf8');
      const colon = decoded.indexOf(':');
      return { secret: decoded.slice(colon + 1), user: colon > 0 ? decoded.slice(0, colon) : undefined };
    }
    default:
      return { secret: accessKey ?? undefined };
  }
}

/** The tenant that a request may act for with this scope. 401 is told by undefined; `denied` for a scope or tenant that it lacks. */
export async function authorize(authenticate: Authenticate, headers: Headers, scope: Scope): Promise<string | undefined> {
  const { secret, user } = secretOf(headers);
  const grants = await authenticate(secret);
  if (grants.length === 0) return undefined;
  const tenant = headers.get('x-scope-orgid') ?? user ?? grants[0].tenant;
  const allowed = grants.filter((grant) => grant.tenant === tenant);
  if (allowed.length === 0) {
    throw new OpsError('denied', `this token is not allowed tenant ${JSON.stringify(tenant)}`, {
      hint: 'Leave out X-Scope-OrgID, or name a tenant that the token has.',
    });
  }
  if (!allowed.some((grant) => grant.scopes.has(scope))) {
    const has = allowed.flatMap((grant) => [...grant.scopes]).join(', ');
    throw new OpsError('denied', `this token lacks the scope ${scope}`, { hint: `It has: ${has || 'none'}.` });
  }
  return tenant;
}
