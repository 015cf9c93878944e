import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { sweep } from '#storage/sweep.ts';

const Event = z.object({ dryRun: z.boolean().optional() });

/** Deletes what crashed attempts left, and finds days whose mark was lost. */
export const run: OpsFunction = (deps, event) => sweep(deps.storage, parseEvent(Event, event));

export const handler = onLambda(run);
