import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { expire } from '#storage/expire.ts';

const Event = z.object({ dryRun: z.boolean().optional() });

/** Deletes what is past its retention. */
export const run: OpsFunction = (deps, event) => expire(deps.storage, parseEvent(Event, event));

export const handler = onLambda(run);
