import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';
import { publishOutbox } from '#ports/outbox.ts';

/** Sends the outbox to the bus. */
export const run: OpsFunction = async ({ table, bus }) => ({ sent: await publishOutbox({ table, bus }) });

export const handler = onLambda(run, publishing);
