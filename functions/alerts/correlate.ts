import { correlateAlerts, hasEvents } from '#alerts/incidents/correlate-alerts.ts';
import { alertTenants, correlateDeps } from '#functions/alerts-deps.ts';
import { onAlertsLambda } from '#functions/alerts-lambda.ts';
import type { OpsFunction } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';
import { publishOutbox } from '#ports/outbox.ts';

/** Takes alerts into incidents. Dispatching does so first of all; by itself it ends incidents in time. */
export const run: OpsFunction = async (deps) => {
  const { table, bus } = deps;
  const correlated = await correlateAlerts(correlateDeps(deps), await alertTenants(deps));
  if (correlated.some(hasEvents)) await publishOutbox({ table, bus });
  return { correlated };
};

export const handler = onAlertsLambda(run, publishing);
