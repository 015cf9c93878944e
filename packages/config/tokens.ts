import type * as z from 'zod';
import { tenantName, tenantNameRule } from './tenant-name.ts';

type Scope = 'ingest' | 'query' | 'admin';

const scopes: readonly Scope[] = ['ingest', 'query', 'admin'];

/** What one token allows on one tenant. A token may have several grants; the first names its own tenant. */
export interface TokenGrant {
  readonly token: string;
  readonly tenant: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Reads `token=tenant:scope+scope,...`; a token may itself hold `=` and `:`. Problems name an entry by its place, never its token. */
export function parseTokens(text: string, context: z.core.$RefinementCtx): readonly TokenGrant[] {
  if (text.trim() === '') return [];
  const grants: TokenGrant[] = [];
  for (const [i, entry] of text.split(',').entries()) {
    const grant = parseGrant(entry.trim());
    const known = typeof grant !== 'string' && grants.some(({ token, tenant }) => token === grant.token && tenant === grant.tenant);
    if (typeof grant !== 'string' && !known) grants.push(grant);
    else
      context.addIssue({
        code: 'custom',
        message: `entry ${i + 1}: ${known ? 'repeats the token and tenant of an earlier entry' : grant}`,
      });
  }
  return grants;
}

function parseGrant(entry: string): TokenGrant | string {
  const match = /^(.*)=([^=:]*):([^=:]*)$/.exec(entry);
  const [, token = '', tenant = '', list = ''] = match ?? [];
  if (!match) return 'takes token=tenant:scope+scope';
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) return 'takes a token of 1 to 512 visible ASCII characters before the last =';
  if (!tenantName.test(tenant)) return `takes a tenant between = and : (${tenantNameRule})`;
  const named = list.split('+');
  const wrong = named.findIndex((scope) => !(scopes as readonly string[]).includes(scope));
  if (wrong >= 0) return `takes scopes ${scopes.join(', ')} joined by + after the last :; its scope ${wrong + 1} is none of them`;
  return { token, tenant, scopes: new Set(named as Scope[]) };
}
