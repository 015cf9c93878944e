import { Hono } from 'hono';
import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { ApiEnv } from './api-env.ts';
import { readBody } from './read-body.ts';

/** Runs a function by name with the event given; what it returns is the answer. */
export type InvokeFunction = (name: string, event: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** What any function takes: the time to run as of. Further fields are the function's own. */
const InvokeEvent = z.looseObject({ at: z.iso.datetime({ offset: true }).optional() });

const MAX_EVENT_BYTES = 256 * 1024;

/**
 * Lambda's own Invoke call, so that the AWS command line and SDKs run the embedded functions too. On a server that tenants share
 * they work on the data of the caller's tenant alone: who administers one tenant is nobody to another.
 */
export function invokeRoutes(deps: { invoke: InvokeFunction; names: readonly string[]; isShared: boolean }): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/2015-03-31/functions/:name/invocations', async (c) => {
    const name = c.req.param('name');
    if (!deps.names.includes(name)) {
      throw new OpsError('missing', `there is no function ${JSON.stringify(name)}`, { hint: `There are: ${deps.names.join(', ')}.` });
    }
    const event = parseEvent(await readBody(c.req.raw, MAX_EVENT_BYTES));
    const confined = deps.isShared ? { ...event, onlyTenant: c.get('tenant') } : event;
    return c.json((await deps.invoke(name, confined)) ?? null);
  });
  return app;
}

function parseEvent(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', 'the event is not JSON', { cause });
  }
  const parsed = InvokeEvent.safeParse(json);
  if (!parsed.success) throw new OpsError('input', `the event is not as functions take it: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
