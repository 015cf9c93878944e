import type { EvaluateDeps, EvaluationView } from '#alerts/evaluate/evaluate-rules.ts';
import { createRulerGroups, mergeRuleGroups, type ReadRulerGroups, type RuleGroups } from '#alerts/ruler/ruler-groups.ts';
import { readRulers } from '#alerts/ruler/stored-group.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import { checkRuleTemplate, createRuleRenderer } from '#alerts/rules/rule-templates.ts';
import type { AlertDomains } from '#api/alerts/alert-domains.ts';
import { tenantSettings } from '#config/load-config.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { STALE } from '#model/samples.ts';
import { readOnce } from '#ports/read-once.ts';
import type { Table } from '#ports/table.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { createOverlaySource } from '#storage/overlay-source.ts';
import { createSampleSource } from '#storage/sample-source.ts';
import { compileAlerting } from './alerting.ts';
import type { FunctionDeps } from './deps.ts';

const exprs = createExprCache();
const STARTED_AT_MS = Date.now();

/** What evaluating rules is made of. */
export function evaluateDeps(deps: FunctionDeps): EvaluateDeps {
  const { blobs, table, now, newId, remainingMs, externalUrl } = deps;
  return {
    ...{ blobs, table, now, newId, remainingMs },
    groups: async (tenant) => (await ruleGroups(deps, tenant)).groups,
    openView: (tenant) => openView(deps, tenant),
    write: (tenant, samples, atMs) => writeSamples(deps, tenant, samples, atMs),
    generatorUrl: (expr) => `${externalUrl}/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`,
  };
}

const rulers = new WeakMap<Table, ReadRulerGroups>();

/** Everything that is evaluated for a tenant: of the configuration folder, and written by API. */
async function ruleGroups({ table, config }: FunctionDeps, tenant: string): Promise<RuleGroups> {
  const read = rulers.get(table) ?? createRulerGroups(table, { checkExpr: parseExpr, checkTemplate: checkRuleTemplate });
  rulers.set(table, read);
  return mergeRuleGroups((await compileAlerting(config)).groups.get(tenant) ?? [], await read(tenant));
}

/** What the routes of alerting are made of. */
export function alertDomains(deps: FunctionDeps): AlertDomains {
  const { table, blobs, now, newId, config, source } = deps;
  return {
    ...{ table, blobs, now, newId },
    routing: async (tenant) => (await compileAlerting(config)).routing(tenant),
    ruleGroups: (tenant) => ruleGroups(deps, tenant),
    fileGroups: async (tenant) => (await compileAlerting(config)).groups.get(tenant) ?? [],
    slos: async (tenant) => (await compileAlerting(config)).slos.get(tenant) ?? [],
    openQuery: (tenant) => createQueryPort({ source, limits: tenantSettings(config, tenant).queryLimits, now, cache: exprs }),
    startedAtMs: STARTED_AT_MS,
  };
}

/** One reading of the catalog for all rules, and what they give on top of it. */
function openView({ storage, config, now, externalUrl }: FunctionDeps, tenant: string): EvaluationView {
  const overlay = createOverlaySource(createSampleSource({ ...storage, table: readOnce(storage.table) }));
  const limits = tenantSettings(config, tenant).queryLimits;
  const query = createQueryPort({ source: overlay.source, limits, now, cache: exprs });
  return {
    query,
    append: (samples, tMs) => {
      for (const { series, value, stale } of samples) overlay.append(series, [{ ts: tMs, value, stale }]);
    },
    render: createRuleRenderer({ query, tenant, externalLabels: {}, externalUrl }),
  };
}

async function writeSamples({ ingest }: FunctionDeps, tenant: string, samples: readonly RuleSample[], atMs: number): Promise<void> {
  if (samples.length === 0) return;
  const builder = new BatchBuilder();
  for (const { series, value, stale } of samples) builder.add(series, atMs, value, stale ? STALE : 0);
  const decoded = { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
  await ingestSamples(ingest, { tenant, protocol: 'rules', decoded });
}

/** Tenants that may have alerts: those with rules, of files or written by API, and those that ever had an alert. */
export async function alertTenants({ config, table }: FunctionDeps, known: readonly string[]): Promise<string[]> {
  const { groups } = await compileAlerting(config);
  const written = await readRulers(table);
  return [...new Set([...groups.keys(), ...config.tenants.keys(), ...written.keys(), ...known])].sort();
}
