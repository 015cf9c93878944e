import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import { readFlagDefinition } from '#flags/flag-definition.ts';
import { type ChangeDeps, changeFlag } from '#flags/store/change-flag.ts';
import {
  type CurrentFlag,
  effectiveDefinition,
  type PlannedChange,
  planDelete,
  planKill,
  planPut,
  planRevive,
  planRollout,
} from '#flags/store/plan-change.ts';
import type { FlagDomains } from './flag-domains.ts';
import { assertRoom, KillRequest, RolloutRequest, readExpected, readForm, readJsonBody, readSaid } from './flag-requests.ts';
import { importFlags } from './import-flags.ts';

const PATH = '/api/flags';
const MAX_FLAG_BYTES = 256 * 1024;
/** Places of the API beside flags' names. */
const RESERVED: ReadonlySet<string> = new Set(['stale', 'import']);

/** What changes flags: a whole one, its rollout, off and on, or many that are imported. */
export function changeFlagRoutes(domains: FlagDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const { table, now, newId, fileFlags: files } = domains;
  const deps: ChangeDeps = { table, now, newId, files };
  app.post(`${PATH}/import`, async (c) => c.json(await importFlags(domains, deps, c)));
  app.put(`${PATH}/:key`, async (c) => {
    const key = c.req.param('key');
    if (RESERVED.has(key)) throw new OpsError('input', `a flag cannot be called ${key}: the API has something else there`);
    const definition = readFlagDefinition(await readJsonBody(c, MAX_FLAG_BYTES), 'flag');
    const expected = readExpected(c);
    assertRoom(await domains.readFlags(c.get('tenant')), [key]);
    let isMade = false;
    const plan: Plan = (current) => {
      const planned = planPut(current, definition, expected, isForced(c));
      isMade = planned?.action === 'created';
      return planned;
    };
    return answer(c, await change(deps, c, plan, readSaid(c), expected === 'any'), isMade ? 201 : 200);
  });
  app.delete(`${PATH}/:key`, async (c) => {
    const expected = readExpected(c);
    // Without a version it is deleted only as 'any' says so: what was not read is not to be lost.
    if (expected === 'none') throw new OpsError('input', 'say which version is to be deleted: If-Match with the version, or *');
    await change(deps, c, (current) => planDelete(current, expected, isForced(c)), readSaid(c), expected === 'any');
    return c.body(null, 204);
  });
  app.post(`${PATH}/:key/rollout`, async (c) => {
    const { percentage, force, expectedVersion, steps, variant, ...said } = await readForm(c, RolloutRequest);
    const asked = { ...readSaid(c, said), expectedVersion, steps, variant, isForced: force };
    return answer(c, await change(deps, c, (current) => planRollout(current, percentage, asked), asked));
  });
  app.post(`${PATH}/:key/kill`, async (c) => {
    const { variant, ...rest } = await readForm(c, KillRequest);
    const said = readSaid(c, rest);
    const kill = { at: new Date(now()).toISOString(), ...said, variant };
    return answer(c, await change(deps, c, (current) => planKill(current, kill), said));
  });
  app.delete(`${PATH}/:key/kill`, async (c) => answer(c, await change(deps, c, planRevive, readSaid(c))));
  return app;
}

const isForced = (c: ApiContext) => c.req.query('force') === 'true';

type Plan = (current: CurrentFlag) => PlannedChange;

function change(
  deps: ChangeDeps,
  c: ApiContext,
  plan: Plan,
  said: { by: string; reason: string },
  overDamage = false,
): Promise<CurrentFlag> {
  const { by, reason } = said;
  return changeFlag(deps, { tenant: c.get('tenant'), key: c.req.param('key') as string, by, reason, overDamage }, plan);
}

function answer(c: ApiContext, current: CurrentFlag, status: 200 | 201 = 200): Response {
  const { key, record, file } = current;
  const version = record?.version ?? 0;
  const json = { key, file: file?.file, version, flag: effectiveDefinition(current), kill: record?.kill, boundTo: record?.boundTo };
  return c.json(json, status, { etag: `"${version}"` });
}
