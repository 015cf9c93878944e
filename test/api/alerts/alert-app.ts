import type { DispatchReport } from '#alerts/dispatch/dispatch.ts';
import { dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import { compileRouting, DEFAULT_ROUTING_TEXT } from '#alerts/dispatch/routing.ts';
import type { EvaluateResult } from '#alerts/evaluate/evaluate-deps.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { createRulerGroups, mergeRuleGroups } from '#alerts/ruler/ruler-groups.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import type { SourcedSlo } from '#alerts/slo/sourced-slo.ts';
import type { AlertDomains } from '#api/alerts/alert-domains.ts';
import { alertGroups } from '#api/alerts/groups.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { OpsError } from '#core/errors.ts';
import { seriesFromLabels } from '#model/series.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Query } from '#ports/query.ts';
import type { Table } from '#ports/table.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');

export interface AlertAppOptions {
  readonly routing?: string;
  readonly files?: readonly SourcedGroup[];
  readonly slos?: readonly SourcedSlo[];
  /** Values by expression; what is not there gives nothing, and what begins with `broken` fails. */
  readonly values?: Readonly<Record<string, number>>;
  readonly maxAlerts?: number;
  /** Thrown instead of announcing what was posted. */
  readonly deaf?: Error;
  readonly wrapTable?: (table: Table) => Table;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

/** The routes of alerting over memory, for tenants a and b: `all-a` may do everything as a, `query-a` only that, ... */
export function createAlertApp(options: AlertAppOptions = {}) {
  const clock = { nowMs: NOW };
  const now = () => clock.nowMs;
  const stored = createMemoryTable();
  const table = options.wrapTable?.(stored) ?? stored;
  const blobs = createMemoryBlobs();
  let ids = 0;
  const newId = () => `id${String(++ids).padStart(6, '0')}`;
  const compiled = compileRouting(options.routing ?? DEFAULT_ROUTING_TEXT);
  const routing = async () => compiled;
  const values: Record<string, number> = { ...options.values };
  const query: Query = {
    check: (text) => ({ type: 'vector', text, metrics: [] }),
    instant: async ({ tenant, expr }) => {
      if (expr.startsWith('broken')) throw new OpsError('conflict', `${expr} cannot be evaluated`);
      const value = values[expr] ?? values[`${tenant}:${expr}`];
      return { samples: value === undefined ? [] : [{ series: seriesFromLabels([{ name: 'job', value: tenant }]), value }], warnings: [] };
    },
  };
  const announced: string[] = [];
  const rulerGroups = createRulerGroups(table, RULE_CHECKS);
  const filesOf = (tenant: string) => (tenant === 'a' ? (options.files ?? []) : []);
  const domains: AlertDomains = {
    ...{ table, blobs, now, newId, routing },
    ruleGroups: async (tenant) => mergeRuleGroups(filesOf(tenant), await rulerGroups(tenant)),
    fileGroups: async (tenant) => filesOf(tenant),
    slos: async (tenant) => (tenant === 'a' ? (options.slos ?? []) : []),
    openQuery: () => query,
    announce: async (tenant) => {
      if (options.deaf) throw options.deaf;
      announced.push(tenant);
    },
    startedAtMs: NOW - 60_000,
    maxAlerts: options.maxAlerts,
  };
  const grants = (['a', 'b'] as const).flatMap((tenant) => [
    { token: `all-${tenant}`, tenant, scopes: new Set<Scope>(['ingest', 'query', 'admin']) },
    ...(['ingest', 'query', 'admin'] as const).map((scope) => ({ token: `${scope}-${tenant}`, tenant, scopes: new Set<Scope>([scope]) })),
  ]);
  const report = (error: unknown) => {
    throw error;
  };
  const app = createApi({ authenticate: authenticateByTokens(grants), newId, now, observe() {}, report }, alertGroups(domains));
  const ask = async (method: string, path: string, body?: unknown, token = 'all-a', more: object = {}): Promise<Answer> => {
    const sent = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${token}`, ...more };
    const response = await app.request(`http://here.example${path}`, { method, body: sent, headers });
    const text = await response.text();
    return { status: response.status, text, body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text };
  };
  const samples: RuleSample[] = [];
  return {
    ...{ clock, table, blobs, domains, ask, values, samples, announced },
    get: (path: string, token?: string) => ask('GET', path, undefined, token),
    post: (path: string, body: unknown, token?: string) => ask('POST', path, body, token),
    dispatch: (...tenants: string[]): Promise<DispatchReport[]> =>
      dispatchAlerts({ ...domains, memberships: async () => new Map() }, tenants),
    evaluate: (...tenants: string[]): Promise<EvaluateResult> =>
      evaluateRules(
        {
          ...{ table, blobs, now, newId },
          groups: async (tenant) => (await domains.ruleGroups(tenant)).groups,
          openView: () => ({ query, append: () => {}, render: async (text) => text }),
          write: async (_tenant, written) => void samples.push(...written),
          generatorUrl: (expr) => `http://here.example/graph?g0.expr=${encodeURIComponent(expr)}`,
        },
        tenants,
      ),
  };
}
