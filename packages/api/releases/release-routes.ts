import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { Phase } from '#releases/release/release.ts';
import { listReleases, readHistory, readLastLook, readRelease } from '#releases/release/release-store.ts';
import type { ReleaseDomains } from './release-domains.ts';
import { describeEntry, describeWhole, summarizeRelease } from './release-view.ts';

const PHASES: readonly Phase[] = ['queued', 'progressing', 'rolling-back', 'promoted', 'rolled-back', 'cancelled'];
const MAX_PAGE = 100;

/** GET /api/releases, /api/releases/{id} and /api/releases/{id}/history. */
export function releaseRoutes(deps: ReleaseDomains): Hono<ApiEnv> {
  const { table, now } = deps;
  const app = new Hono<ApiEnv>();
  app.get('/api/releases', async (c) => {
    const { application, environment } = c.req.query();
    const filter = { application, environment, phase: readPhase(c), limit: readLimit(c), after: readAfter(c) };
    const { releases, next } = await listReleases(table, c.get('tenant'), filter);
    return c.json({ releases: releases.map((release) => summarizeRelease(release, now())), next });
  });
  app.get('/api/releases/:id', async (c) => {
    const tenant = c.get('tenant');
    const { release } = await readRelease(table, tenant, c.req.param('id'));
    const [history, looks] = await Promise.all([
      readHistory(table, tenant, release.id),
      Promise.all(
        Object.values(release.asks)
          .filter(({ kind, done }) => kind === 'analysis' && done > 0)
          .map(async ({ key, run }) => ({ key, run, judgement: await readLastLook(table, { tenant, id: release.id, key, run }) })),
      ),
    ]);
    return c.json({ ...describeWhole(release, now()), judgements: looks, history: history.map(describeEntry) });
  });
  app.get('/api/releases/:id/history', async (c) => {
    const { release } = await readRelease(table, c.get('tenant'), c.req.param('id'));
    return c.json({ history: (await readHistory(table, c.get('tenant'), release.id)).map(describeEntry) });
  });
  return app;
}

function readPhase(c: ApiContext): Phase | undefined {
  const text = c.req.query('state');
  if (text === undefined) return undefined;
  const phase = PHASES.find((each) => each === text);
  if (phase) return phase;
  throw new OpsError('input', `state: takes one of ${PHASES.join(', ')}; got ${JSON.stringify(text.slice(0, 60))}`);
}

function readLimit(c: ApiContext): number {
  const text = c.req.query('limit');
  if (text === undefined) return MAX_PAGE;
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new OpsError('input', `limit: takes a whole number from 1 to ${MAX_PAGE}; got ${JSON.stringify(text.slice(0, 60))}`);
}

function readAfter(c: ApiContext): string | undefined {
  const text = c.req.query('after');
  if (text === undefined || /^[0-9a-z-]{1,64}$/.test(text)) return text;
  throw new OpsError('input', 'after: takes what the page before gave as next');
}
