import type * as z from 'zod';
import { tenantName } from './tenant-name.ts';

/** A secret, and whose it is. */
export interface TenantSecret {
  readonly tenant: string;
  readonly secret: string;
}

const MIN_CHARACTERS = 8;
/** Base64's padding at the end of a single secret is no pair. */
const PAIR = /^([^=]+)=(?!=?$)(.*)$/s;

/**
 * Reads one secret, which is tenant `default`'s, or `tenant=secret,...`; a tenant may have several, while one takes the place of another. What
 * begins like a pair is one. No secret may be two tenants', since it is by the secret that a sender's tenant is known. Problems name an entry
 * by its place, never its secret.
 */
export function parseTenantSecrets(text: string, context: z.core.$RefinementCtx): readonly TenantSecret[] {
  if (text === '') return [];
  if (!isPairs(text)) return checkLength(text) ? [{ tenant: 'default', secret: text }] : refuse(context, [SHORT]);
  const problems: string[] = [];
  const found: TenantSecret[] = [];
  for (const [i, entry] of text.split(',').entries()) {
    const [, tenant = '', secret = ''] = PAIR.exec(entry.trim()) ?? [];
    const problem = findProblem(tenant, secret, found);
    if (problem === undefined) found.push({ tenant, secret });
    else problems.push(`entry ${i + 1}: ${problem}`);
  }
  return problems.length > 0 ? refuse(context, problems) : found;
}

const SHORT = `takes a secret of at least ${MIN_CHARACTERS} characters`;

function isPairs(text: string): boolean {
  const [, tenant = ''] = PAIR.exec(text.split(',', 1)[0]) ?? [];
  return tenantName.test(tenant);
}

function findProblem(tenant: string, secret: string, before: readonly TenantSecret[]): string | undefined {
  if (!tenantName.test(tenant)) return 'takes tenant=secret';
  if (!checkLength(secret)) return SHORT;
  return before.some((other) => other.secret === secret) ? 'repeats the secret of an earlier entry' : undefined;
}

function checkLength(secret: string): boolean {
  return secret.length >= MIN_CHARACTERS;
}

function refuse(context: z.core.$RefinementCtx, problems: readonly string[]): readonly TenantSecret[] {
  for (const message of problems) context.addIssue({ code: 'custom', message });
  return [];
}
