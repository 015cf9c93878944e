import type { RouteGroup } from '#api/create-api.ts';
import { type WebhookDomains, webhookRoutes } from './webhook-routes.ts';

/** Webhooks of CI systems. Their deliveries are signed, so that no token is asked for. */
export function webhookGroups(deps: WebhookDomains): RouteGroup[] {
  return [{ scope: 'open', routes: webhookRoutes(deps) }];
}
