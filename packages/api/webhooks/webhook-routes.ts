import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import { receiveDelivery, type WebhookSettings } from '#releases/ci/receive-delivery.ts';

/** What the webhooks are made of. */
export interface WebhookDomains {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly webhooks: WebhookSettings;
  /** Sends the outbox on at once, as long as a sender can wait for it; what is left the schedule sends. */
  readonly publishSoon: () => Promise<void>;
  /** Default: 1 MiB. */
  readonly maxWebhookBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 1024 * 1024;

/**
 * POST /webhooks/{github,gitlab,ci}: deliveries of CI systems, whose signature is their only credential. What is accepted is answered 202 once
 * it is stored, be it taken, taken before, or of no interest here.
 */
export function webhookRoutes(deps: WebhookDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  for (const provider of ['github', 'gitlab', 'ci'] as const) {
    app.post(`/webhooks/${provider}`, async (c) => {
      const body = await readDelivery(c, deps.maxWebhookBytes ?? DEFAULT_MAX_BYTES);
      const header = (name: string) => c.req.header(name);
      const { table, now, newId, webhooks: settings } = deps;
      const received = await receiveDelivery({ table, now, newId, settings }, provider, { header, body });
      // One that was taken before may still lie in the outbox: its sender got no answer then.
      if (received.result !== 'ignored') await publish(deps);
      return c.json(received, 202);
    });
  }
  return app;
}

async function readDelivery(c: ApiContext, maxBytes: number): Promise<Uint8Array> {
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') throw new OpsError('input', 'a delivery has no content encoding');
  try {
    return await readBody(c.req.raw, maxBytes);
  } catch (error) {
    if (!isOpsError(error, 'limit')) throw error;
    throw new OpsError('limit', error.message, {
      hint: 'Select fewer events, or push fewer commits at once; nothing of this delivery is taken.',
    });
  }
}

/** The delivery is stored, and the schedule sends it on: that nobody could be told of it is no failure of the request. */
async function publish(deps: WebhookDomains): Promise<void> {
  try {
    await deps.publishSoon();
  } catch (error) {
    if (!isOpsError(error, 'unavailable')) throw error;
  }
}
