import type { WebhookDomains } from '#api/webhooks/webhook-routes.ts';
import { readSettings } from '#config/settings.ts';
import { publishOutbox } from '#ports/outbox.ts';
import type { FunctionDeps } from './deps.ts';

/** Of the second that a sender waits. */
const PUBLISH_MS = 250;

/** What the webhooks are made of; their secrets are settings. */
export function webhookDomains({ table, bus, now, newId }: FunctionDeps): WebhookDomains {
  return { table, now, newId, webhooks: readSettings(), publishSoon: () => waitAtMost(PUBLISH_MS, publishOutbox({ table, bus })) };
}

/** The work goes on by itself afterwards, or by the schedule. */
async function waitAtMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, over]).finally(() => clearTimeout(timer));
}
