import { Hono } from 'hono';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { askJob } from '#backups/jobs/ask-job.ts';
import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { ofInstallation } from './installation.ts';

/** POST /api/backups/{name}/run and /api/drills/{name}/run: 202 with the run, which its function does. */
export function runRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(
    '/api/backups/:name/run',
    ofInstallation(deps, (c) => askRun(deps, c, 'snapshot')),
  );
  app.post(
    '/api/drills/:name/run',
    ofInstallation(deps, (c) => askRun(deps, c, 'drill')),
  );
  return app;
}

async function askRun(deps: BackupApiDeps, c: ApiContext, kind: 'snapshot' | 'drill'): Promise<Response> {
  const name = c.req.param('name') as string;
  const jobs = listPlannedJobs(await deps.backupsFile(), kind);
  const job = jobs.find((each) => each.name === name);
  if (!job) {
    const known = jobs.map((each) => each.name).join(', ') || 'none';
    const what = kind === 'drill' ? 'drill' : 'backup';
    throw new OpsError('missing', `backups.yaml has no ${what} ${JSON.stringify(name)}`, { hint: `There are: ${known}.` });
  }
  const { run, isJoined } = await askJob({ ...deps, tenant: deps.backupTenant }, job);
  await deps.announceAsked();
  return c.json({ name, run, joined: isJoined }, 202);
}
