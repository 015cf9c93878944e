import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import { planStaleReport } from '#flags/plan-stale-report.ts';
import { readAudit } from '#flags/store/audit.ts';
import { readUsage } from '#flags/store/usage.ts';
import type { FlagDomains } from './flag-domains.ts';
import { toFlagJson, toListJson } from './flag-json.ts';
import { readCount } from './flag-requests.ts';

const PATH = '/api/flags';
const MAX_AUDIT = 500;

/** What is asked of flags: all of them, one, its changes, and those that nothing speaks for any more. */
export function flagRoutes(deps: FlagDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(PATH, async (c) => c.json(toListJson(await deps.readFlags(c.get('tenant')), deps.now())));
  app.get(`${PATH}/stale`, async (c) => {
    const days = readCount(c, 'days', 30, 365);
    const [{ flags }, usage] = await Promise.all([deps.readFlags(c.get('tenant')), readUsage(deps.table, c.get('tenant'))]);
    return c.json({ days, flags: planStaleReport(flags.values(), usage, days, deps.now()) });
  });
  app.get(`${PATH}/:key`, async (c) => {
    const key = c.req.param('key');
    const flag = (await deps.readFlags(c.get('tenant'))).flags.get(key);
    if (!flag) throw new OpsError('missing', `there is no flag ${JSON.stringify(key)}`, { hint: 'GET /api/flags lists them.' });
    return c.json({ ...toFlagJson(flag, deps.now()), flag: flag.definition }, 200, { etag: `"${flag.version}"` });
  });
  app.get(`${PATH}/:key/audit`, async (c) => {
    const before = c.req.query('before') === undefined ? undefined : readCount(c, 'before', 1, 999_999_999);
    const limit = readCount(c, 'limit', 50, MAX_AUDIT);
    return c.json({ changes: await readAudit(deps.table, c.get('tenant'), c.req.param('key'), { limit, before }) });
  });
  return app;
}
