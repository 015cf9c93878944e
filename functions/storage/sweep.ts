import * as z from 'zod';
import { sweepAlerts } from '#alerts/sweep-alerts.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { sweep } from '#storage/sweep.ts';

const Event = z.object({ dryRun: z.boolean().optional() });

/** Deletes what crashed attempts left, of storage and of alerting, and finds days whose mark was lost. */
export const run: OpsFunction = async ({ storage }, event) => {
  const input = parseEvent(Event, event);
  return { ...(await sweep(storage, input)), alerts: await sweepAlerts(storage, input) };
};

export const handler = onLambda(run);
