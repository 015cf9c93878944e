import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { flagGroups } from '#api/flags/groups.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import { createRateLimit } from '#flags/rate-limit.ts';
import { createFlagReader, type FileFlags } from '#flags/store/flag-view.ts';
import { createRollouts } from '#flags/store/rollouts.ts';
import { createFlagUsage } from '#flags/store/usage.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';

export const NOW = Date.parse('2026-11-27T12:00:00Z');
export const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

export interface FlagAppOptions {
  /** Flags of tenant a's file flags/shop.json, by name. */
  readonly files?: Readonly<Record<string, object>>;
  readonly perSecond?: number;
  readonly burst?: number;
  readonly wrapTable?: (table: Table) => Table;
}

export interface Told {
  readonly status: number;
  /** Parsed, and not checked: tests say what it is to be. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

/** The routes of flags over memory, for tenants a and b: `all-a` may do everything as a, `query-a` only that, ... */
export function createFlagApp({ files = {}, perSecond = 1_000, burst = 10_000, wrapTable = (table) => table }: FlagAppOptions = {}) {
  const clock = { nowMs: NOW };
  const now = () => clock.nowMs;
  const stored = createMemoryTable({ clock: now });
  const table = wrapTable(stored);
  let ids = 0;
  const newId = () => `id${String(++ids).padStart(6, '0')}`;
  const read = parseFlagSet(JSON.stringify({ flags: files })).flags;
  const ofA: FileFlags = new Map([...read].map(([key, flag]) => [key, { ...flag, file: 'flags/shop.json' }]));
  const fileFlags = async (tenant: string) => (tenant === 'a' ? ofA : new Map());
  const domains = {
    ...{ table, now, newId, fileFlags, random: () => 0.5 },
    readFlags: createFlagReader(table, fileFlags),
    flagUsage: createFlagUsage(table, now),
    evaluationLimit: createRateLimit(now, { perSecond, burst }),
  };
  const grants = (['a', 'b'] as const).flatMap((tenant) => [
    { token: `all-${tenant}`, tenant, scopes: new Set<Scope>(['ingest', 'query', 'admin']) },
    ...(['ingest', 'query', 'admin'] as const).map((scope) => ({ token: `${scope}-${tenant}`, tenant, scopes: new Set<Scope>([scope]) })),
  ]);
  const report = (error: unknown) => {
    throw error;
  };
  const app = createApi({ authenticate: authenticateByTokens(grants), newId, now, observe() {}, report }, flagGroups(domains));
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    token = 'all-a',
  ): Promise<Told> => {
    const sent = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.request(`http://here.example${path}`, {
      method,
      body: sent,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    ...{ clock, table, stored, domains, ask },
    rollouts: createRollouts({ table, now, newId, files: fileFlags }),
    /** Writes a flag, whatever is there. */
    put: (key: string, flag: object) => ask('PUT', `/api/flags/${encodeURIComponent(key)}`, flag, { 'if-match': '*' }),
    evaluate: (key: string, context: unknown = {}, token?: string) =>
      ask('POST', `/ofrep/v1/evaluate/flags/${key}`, { context }, {}, token),
    evaluateAll: (context: unknown = {}, headers?: Readonly<Record<string, string>>) =>
      ask('POST', '/ofrep/v1/evaluate/flags', { context }, headers),
  };
}
