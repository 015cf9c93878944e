import { listBookPointers } from '#alerts/dispatch/book-pointer.ts';
import { dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { alertTenants } from '#functions/alerts-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

/** Takes new alerts into the books, and decides who is told what. */
export const run: OpsFunction = async (deps) => {
  const { table, blobs, now, newId, config, remainingMs } = deps;
  const known = (await listBookPointers(table)).map(({ tenant }) => tenant);
  const routing = async (tenant: string) => (await compileAlerting(config)).routing(tenant);
  return { dispatched: await dispatchAlerts({ table, blobs, now, newId, remainingMs, routing }, await alertTenants(deps, known)) };
};

export const handler = onLambda(run);
