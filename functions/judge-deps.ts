import { tenantSettings } from '#config/load-config.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { createAnalyze, judgeOnce } from '#releases/analysis/create-analyze.ts';
import type { Analyze } from '#releases/analyze.ts';
import type { MeasureOnce } from '#releases/kubernetes/analyses.ts';
import type { FunctionDeps } from './deps.ts';

const exprs = createExprCache();

/** What judges releases, by the telemetry that is held. */
export function judgeDeps({ source, config, now }: FunctionDeps): { readonly analyze: Analyze; readonly measureOnce: MeasureOnce } {
  const query = (tenant: string) => createQueryPort({ source, limits: tenantSettings(config, tenant).queryLimits, now, cache: exprs });
  return { analyze: createAnalyze({ query, now }), measureOnce: (request) => judgeOnce({ query, now }, request) };
}
