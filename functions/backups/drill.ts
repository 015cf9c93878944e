import { postAlerts } from '#alerts/dispatch/post-alerts.ts';
import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { performDrill } from '#backups/jobs/perform-drill.ts';
import type { JobReport } from '#backups/jobs/run-jobs.ts';
import { DAY_MS } from '#core/time.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, BACKUP_TENANT, backupJobDeps } from '#functions/backups-deps.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Restores snapshots beside to prove that they can be; one that cannot is an alert. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = await backupJobDeps(deps);
  const attended = await attendJobs(deps, event, listPlannedJobs(jobs.file, 'drill'), ({ name }, run) => performDrill(jobs, name, run));
  await tellAlerts(deps, attended.jobs);
  return attended;
};

/** Fires until the next drill of that name goes well, or for a day. */
async function tellAlerts(deps: FunctionDeps, reports: readonly JobReport[]): Promise<void> {
  const nowMs = deps.now();
  const alerts = reports
    .filter(({ state }) => state === 'done' || state === 'failed')
    .map(({ name, state, sentence }) => ({
      labels: { alertname: 'DrillFailed', drill: name, severity: 'critical' },
      annotations: { summary: sentence },
      startsAtMs: nowMs,
      endsAtMs: state === 'failed' ? nowMs + DAY_MS : nowMs,
      updatedAtMs: nowMs,
      generatorUrl: `${deps.externalUrl}/api/drills`,
    }));
  if (alerts.length > 0) await postAlerts(deps, BACKUP_TENANT, alerts);
}

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
