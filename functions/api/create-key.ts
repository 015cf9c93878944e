import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { createKey } from '#api/table-keys.ts';
import { tenantName, tenantNameRule } from '#config/tenant-name.ts';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';

const Event = z.object({
  tenant: z.string().regex(tenantName, tenantNameRule),
  scopes: z.array(z.enum(['ingest', 'query', 'admin'])).min(1),
  /** Whose it is, for the one who looks through the keys later. */
  note: z.string().max(200).optional(),
});

/** Makes an API key for a tenant; the answer is the only place where its secret is told. */
export const run: OpsFunction = ({ table, now }, event) => createKey({ table, now, newSecret }, parseEvent(Event, event));

export const handler = onLambda(run);

function newSecret(): string {
  return `qd_${randomBytes(32).toString('base64url')}`;
}
