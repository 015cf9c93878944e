import { correlateAlerts } from '#alerts/incidents/correlate-alerts.ts';
import { alertTenants, correlateDeps } from '#functions/alerts-deps.ts';
import { onAlertsLambda, publishing } from '#functions/alerts-lambda.ts';
import type { OpsFunction } from '#functions/lambda.ts';

/** Takes alerts into incidents. Dispatching does so first of all; by itself it ends incidents in time. */
export const run: OpsFunction = async (deps) => {
  return { correlated: await correlateAlerts(correlateDeps(deps), await alertTenants(deps)) };
};

export const handler = onAlertsLambda(run, publishing);
