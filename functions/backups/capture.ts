import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { performCapture } from '#backups/jobs/perform-capture.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, BACKUP_TENANT, backupJobDeps } from '#functions/backups-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Takes the changes of tables into the logs from which they are restored to any second. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = { ...(await backupJobDeps(deps)), tenant: BACKUP_TENANT };
  return attendJobs(deps, event, listPlannedJobs(jobs.file, 'capture'), ({ name }) => performCapture(jobs, name));
};

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
