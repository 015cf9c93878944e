import * as z from 'zod';
import { tenantRules, tenantSettings } from '#config/load-config.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { runAggregation } from '#ingest/run-aggregation.ts';
import { listTenants } from '#storage/work-list.ts';

const Event = z.object({ dryRun: z.boolean().optional() });

/** Runs the aggregate rules of every tenant's pipeline that are due. */
export const run: OpsFunction = async ({ config, ingest, source, storage, table, now }, event) => {
  const { dryRun } = parseEvent(Event, event);
  const rules = (tenant: string) => tenantRules(config, tenant);
  const limits = (tenant: string) => tenantSettings(config, tenant).queryLimits;
  const deps = { source, store: ingest.store, table, now, rules, limits };
  return { aggregations: await runAggregation(deps, await listTenants(table, storage.onlyTenant), dryRun) };
};

export const handler = onLambda(run);
