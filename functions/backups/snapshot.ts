import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { performSnapshot } from '#backups/jobs/perform-snapshot.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, backupJobDeps } from '#functions/backups-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Takes the snapshots whose time has come, and goes on with those that were begun. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = await backupJobDeps(deps);
  return attendJobs(deps, event, listPlannedJobs(jobs.file, 'snapshot'), ({ name }, run) => performSnapshot(jobs, name, run));
};

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
