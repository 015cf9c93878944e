import { listBookPointers } from '#alerts/dispatch/book-pointer.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { alertTenants, evaluateDeps } from '#functions/alerts-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

/** Evaluates the rule groups whose time has come. */
export const run: OpsFunction = async (deps) => {
  const known = (await listBookPointers(deps.table)).map(({ tenant }) => tenant);
  return evaluateRules(evaluateDeps(deps), await alertTenants(deps, known));
};

export const handler = onLambda(run, { cacheBytes: 256 * 1024 * 1024 });
