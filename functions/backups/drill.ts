import { postAlerts } from '#alerts/dispatch/post-alerts.ts';
import type { Job } from '#backups/jobs/job.ts';
import { listJobs } from '#backups/jobs/job-store.ts';
import { listPlannedJobs } from '#backups/jobs/list-planned-jobs.ts';
import { performDrill } from '#backups/jobs/perform-drill.ts';
import type { JobReport } from '#backups/jobs/run-jobs.ts';
import { MINUTE_MS } from '#core/time.ts';
import { compileBackups } from '#functions/backup-files.ts';
import { attendJobs, BACKUP_TENANT, backupJobDeps } from '#functions/backups-deps.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

/** Restores snapshots beside to prove that they can be; one that cannot is an alert. */
export const run: OpsFunction = async (deps, event) => {
  const jobs = await backupJobDeps(deps);
  const planned = listPlannedJobs(jobs.file, 'drill');
  const attended = await attendJobs(deps, event, planned, ({ name }, run) => performDrill(jobs, name, run));
  await tellAlerts(deps, planned, attended.jobs);
  return attended;
};

/** Longer than from one call to the one after the next. */
const ALERT_MS = 20 * MINUTE_MS;

/** Each call tells again of what failed last, so that none is lost, until the drill of that name goes well or is no longer planned. */
async function tellAlerts(deps: FunctionDeps, planned: readonly Job[], reports: readonly JobReport[]): Promise<void> {
  const nowMs = deps.now();
  const states = await listJobs(deps.table, 'drill');
  const alerts = planned.flatMap(({ name }) => {
    const last = states.get(name)?.last;
    const isNews = reports.some((report) => report.name === name && report.state === 'done');
    if (!last || (last.ok && !isNews)) return [];
    return {
      labels: { alertname: 'DrillFailed', drill: name, severity: 'critical' },
      annotations: { summary: last.sentence },
      startsAtMs: last.endedAtMs,
      endsAtMs: last.ok ? nowMs : nowMs + ALERT_MS,
      updatedAtMs: nowMs,
      generatorUrl: `${deps.externalUrl}/api/drills`,
    };
  });
  if (alerts.length > 0) await postAlerts(deps, BACKUP_TENANT, alerts);
}

export const handler = onLambda(run, { ...publishing, load: loadWith(compileBackups) });
