import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readJson } from '#api/read-json.ts';
import { RestoreRequest } from '#backups/jobs/perform-restore.ts';
import { askRestore, listRestores, readRestore, type StoredRestore } from '#backups/jobs/restore-store.ts';
import { findSnapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { ofInstallation } from './installation.ts';
import { describeRuns } from './job-view.ts';
import { readLimit } from './query-fields.ts';
import { restoreTarget } from './restore-target.ts';

const MAX_REQUEST_BYTES = 1024 * 1024;

/** GET /api/restores and /api/restores/{id}. */
export function restoreStateRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(
    '/api/restores',
    ofInstallation(deps, async (c) => {
      const limit = readLimit(c);
      const restores = (await listRestores(deps.table)).sort((a, b) => startOf(b) - startOf(a));
      return c.json({ restores: restores.slice(0, limit).map(describeRestore) });
    }),
  );
  app.get(
    '/api/restores/:id',
    ofInstallation(deps, async (c) => c.json(describeRestore(await readRestore(deps.table, c.req.param('id') as string)))),
  );
  return app;
}

/** POST /api/restores: 202 with its id; a function does it. */
export function restoreRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(
    '/api/restores',
    ofInstallation(deps, async (c) => {
      const request = await readJson(c.req.raw, RestoreRequest, MAX_REQUEST_BYTES);
      const to = restoreTarget(request.to, await deps.backupsFile(), deps.restoreFolder);
      const { repository } = await deps.openBackupRepository(request.repository);
      // The latest of now, whatever is taken until the function begins.
      const snapshot = (await findSnapshot(repository, request.snapshot)).id;
      const asked = { ...request, to, snapshot };
      const { id, isJoined } = await askRestore({ ...deps, tenant: deps.backupTenant }, asked, readKey(c));
      await deps.announceAsked();
      return c.json({ id, snapshot, to, joined: isJoined }, 202, { location: `/api/restores/${id}` });
    }),
  );
  return app;
}

/** The id of the restore that an Idempotency-Key stands for. */
function readKey(c: ApiContext): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return undefined;
  if (key.length === 0 || key.length > 200) throw new OpsError('input', 'Idempotency-Key: takes 1 to 200 characters');
  return createHash('sha256').update(`restore ${key}`).digest('hex').slice(0, 24);
}

function startOf({ state }: StoredRestore): number {
  return state.run?.startedAtMs ?? state.last?.startedAtMs ?? state.untilMs;
}

function describeRestore({ job, state }: StoredRestore): object {
  const { running, last } = describeRuns(state);
  const outcome = state.last?.ok === false ? 'failed' : 'done';
  return { id: job.name, state: state.run ? 'running' : outcome, request: state.asked, running, last };
}
