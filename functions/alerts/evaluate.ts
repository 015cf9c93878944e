import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { announceReceived } from '#alerts/wake-up.ts';
import { alertTenants, evaluateDeps } from '#functions/alerts-deps.ts';
import { onAlertsLambda } from '#functions/alerts-lambda.ts';
import type { OpsFunction } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';

/** Evaluates the rule groups whose time has come. */
export const run: OpsFunction = async (deps) => {
  const result = await evaluateRules(evaluateDeps(deps), await alertTenants(deps));
  deps.alertObserver?.evaluated(result, deps.now());
  const changed = result.evaluations.filter(({ changes, conflict }) => changes > 0 && !conflict).map(({ tenant }) => tenant);
  await announceReceived(deps, [...new Set(changed)]);
  return result;
};

export const handler = onAlertsLambda(run, { ...publishing, cacheBytes: 256 * 1024 * 1024 });
