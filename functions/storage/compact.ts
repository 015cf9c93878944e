import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { compact } from '#storage/compact.ts';

const Event = z.object({ graceMs: z.number().min(0).optional(), force: z.boolean().optional(), dryRun: z.boolean().optional() });

/** Merges segments into blocks and blocks into larger ones. */
export const run: OpsFunction = (deps, event) => compact(deps.storage, parseEvent(Event, event));

export const handler = onLambda(run);
