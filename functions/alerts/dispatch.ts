import { listBookPointers } from '#alerts/dispatch/book-pointer.ts';
import { dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import { correlateAlerts } from '#alerts/incidents/correlate-alerts.ts';
import { readMemberships } from '#alerts/incidents/incident-store.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { alertTenants, correlateDeps } from '#functions/alerts-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

/**
 * Takes new alerts into the books, and decides who is told what. Incidents come first, so that one that holds its alerts back does so before
 * any of them is told; where they cannot be had, alerts are told all the same.
 */
export const run: OpsFunction = async (deps) => {
  const { table, blobs, now, newId, config } = deps;
  const known = (await listBookPointers(table)).map(({ tenant }) => tenant);
  const routing = async (tenant: string) => (await compileAlerting(config)).routing(tenant);
  const memberships = (tenant: string) => readMemberships({ table, blobs }, tenant);
  const tenants = await alertTenants(deps, known);
  const result: Record<string, unknown> = {};
  const steps = {
    correlated: () => correlateAlerts(correlateDeps(deps), tenants),
    dispatched: () => dispatchAlerts({ table, blobs, now, newId, routing, memberships }, tenants),
  };
  await forEachSettled(Object.entries(steps), async ([name, step]) => {
    result[name] = await step();
  });
  return result;
};

export const handler = onLambda(run);
