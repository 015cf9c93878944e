import { Hono } from 'hono';
import { printAlertmanagerConfig } from '#alerts/routing/print-config.ts';
import type { ApiEnv } from '#api/api-env.ts';
import type { AlertDomains } from './alert-domains.ts';
import { answeringAlertmanager, isoTime } from './alertmanager-answers.ts';

/** The version whose API and configuration we have: clients decide by it what they may ask. */
const ALERTMANAGER_VERSION = '0.28.1';

/** status and receivers of Alertmanager's API v2. The configuration is shown without its secrets; there is no cluster, since nothing here has a memory to gossip. */
export function alertmanagerStatusRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/alertmanager/api/v2/status', (c) =>
    answeringAlertmanager(c, async () => {
      const { config } = await deps.routing(c.get('tenant'));
      return c.json({
        cluster: { name: '', peers: [], status: 'disabled' },
        config: { original: printAlertmanagerConfig(config) },
        uptime: isoTime(deps.startedAtMs),
        versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version: ALERTMANAGER_VERSION },
      });
    }),
  );
  app.get('/alertmanager/api/v2/receivers', (c) =>
    answeringAlertmanager(c, async () => {
      const { config } = await deps.routing(c.get('tenant'));
      return c.json(config.receivers.map(({ name }) => ({ name })));
    }),
  );
  return app;
}

/** Whether the process is there, for whoever balances load. */
export function alertmanagerHealthRoutes(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  for (const path of ['healthy', 'ready']) app.get(`/alertmanager/-/${path}`, (c) => c.text('OK'));
  return app;
}
