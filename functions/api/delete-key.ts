import * as z from 'zod';
import { deleteKey } from '#api/table-keys.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

const Event = z.object({ id: z.string() });

/** Takes an API key back, by the id that was told when it was made. */
export const run: OpsFunction = ({ table }, event) => deleteKey({ table }, parseEvent(Event, event).id);

export const handler = onLambda(run);
