import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { performForget } from '#backups/jobs/perform-forget.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, backupJobDeps } from '#functions/backups-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Forgets snapshots by their retention, and prunes what nothing needs any more. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = await backupJobDeps(deps);
  return attendJobs(deps, event, listPlannedJobs(jobs.file, 'forget'), ({ name }) => performForget(jobs, name));
};

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
