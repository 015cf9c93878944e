import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { downsample } from '#storage/downsample.ts';

const Event = z.object({ graceMs: z.number().min(0).optional(), dryRun: z.boolean().optional() });

/** Derives 5 min and 1 h aggregates of days that are final. */
export const run: OpsFunction = (deps, event) => downsample(deps.storage, parseEvent(Event, event));

export const handler = onLambda(run);
