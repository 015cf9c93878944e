import { Hono } from 'hono';
import { explainAlert } from '#alerts/explain/explain-alert.ts';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { AlertDomains } from './alert-domains.ts';

/** GET /api/alerts/{fingerprint}/explain: who is told what of an alert, and why not. */
export function explainRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/alerts/:fingerprint/explain', async (c) => {
    const fingerprint = c.req.param('fingerprint').toLowerCase();
    const explanation = await explainAlert(deps, c.get('tenant'), fingerprint);
    if (!explanation) {
      throw new OpsError('missing', `no alert ${JSON.stringify(fingerprint)} is known`, {
        hint: 'Fingerprints are in /alertmanager/api/v2/alerts; what is over is forgotten after a while.',
      });
    }
    return c.json(explanation);
  });
  return app;
}
