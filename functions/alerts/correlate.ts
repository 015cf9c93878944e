import { listBookPointers } from '#alerts/dispatch/book-pointer.ts';
import { correlateAlerts } from '#alerts/incidents/correlate-alerts.ts';
import { alertTenants, correlateDeps } from '#functions/alerts-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

/** Takes alerts into incidents. Dispatching does so first of all; by itself it ends incidents in time. */
export const run: OpsFunction = async (deps) => {
  const known = (await listBookPointers(deps.table)).map(({ tenant }) => tenant);
  return { correlated: await correlateAlerts(correlateDeps(deps), await alertTenants(deps, known)) };
};

export const handler = onLambda(run);
