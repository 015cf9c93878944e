import { performRestore } from '#backups/jobs/perform-restore.ts';
import { listRestores } from '#backups/jobs/restore-store.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, backupJobDeps } from '#functions/backups-deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Goes on with the restores that were asked for. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = await backupJobDeps(deps);
  const asked = (await listRestores(deps.table)).filter(({ state }) => state.run !== undefined);
  return attendJobs(
    deps,
    event,
    asked.map(({ job }) => job),
    (_, run, keep) => performRestore(jobs, run, keep),
  );
};

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
