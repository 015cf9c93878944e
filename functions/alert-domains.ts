import { announceReceived } from '#alerts/wake-up.ts';
import type { AlertDomains } from '#api/alerts/alert-domains.ts';
import { tenantSettings } from '#config/load-config.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { compileRules } from './alert-rules.ts';
import { compileAlerting } from './alerting.ts';
import type { FunctionDeps } from './deps.ts';
import { fileGroups, ruleGroups } from './rule-groups.ts';

const exprs = createExprCache();
const STARTED_AT_MS = Date.now();

/** What the routes of alerting are made of. */
export function alertDomains(deps: FunctionDeps): AlertDomains {
  const { table, blobs, now, newId, config, source } = deps;
  return {
    ...{ table, blobs, now, newId },
    routing: async (tenant) => (await compileAlerting(config)).routing(tenant),
    ruleGroups: (tenant) => ruleGroups(deps, tenant),
    fileGroups: (tenant) => fileGroups(deps, tenant),
    slos: async (tenant) => (await compileRules(config)).slos.get(tenant) ?? [],
    openQuery: (tenant) => createQueryPort({ source, limits: tenantSettings(config, tenant).queryLimits, now, cache: exprs }),
    announce: (tenant) => announceReceived(deps, [tenant]),
    startedAtMs: STARTED_AT_MS,
  };
}
