import { listBookPointers } from '#alerts/dispatch/book-pointer.ts';
import type { EvaluateDeps, EvaluationView } from '#alerts/evaluate/evaluate-deps.ts';
import type { CorrelateDeps } from '#alerts/incidents/correlate-alerts.ts';
import { readRulers } from '#alerts/ruler/stored-group.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import { createRuleRenderer } from '#alerts/rules/rule-templates.ts';
import { tenantSettings } from '#config/load-config.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { STALE } from '#model/samples.ts';
import { readOnce } from '#ports/read-once.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { createOverlaySource } from '#storage/overlay-source.ts';
import { createSampleSource } from '#storage/sample-source.ts';
import { compileRules } from './alert-rules.ts';
import { compileAlerting } from './alerting.ts';
import type { FunctionDeps } from './deps.ts';
import { ruleGroups } from './rule-groups.ts';

const exprs = createExprCache();

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

/** What correlating alerts is made of. */
export function correlateDeps({ blobs, table, now, newId, config, externalUrl }: FunctionDeps): CorrelateDeps {
  return {
    ...{ blobs, table, now, newId },
    settings: async (tenant) => (await compileAlerting(config)).incidents(tenant),
    incidentUrl: (id) => `${externalUrl}/api/incidents/${id}`,
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

/**
 * Tenants that may have alerts: those with rules, of files or written by API, and those that ever had an alert; or the one that the call is
 * confined to.
 */
export async function alertTenants({ config, table, storage }: FunctionDeps): Promise<string[]> {
  if (storage.onlyTenant !== undefined) return [storage.onlyTenant];
  const { groups } = await compileRules(config);
  const written = await readRulers(table);
  const known = (await listBookPointers(table)).map(({ tenant }) => tenant);
  return [...new Set([...groups.keys(), ...config.tenants.keys(), ...written.keys(), ...known])].sort();
}
