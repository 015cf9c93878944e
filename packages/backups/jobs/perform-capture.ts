import { openLogOf } from '#backups/restore/point-in-time.ts';
import { formatDuration } from '#core/duration.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import { noteCapture } from './log-state.ts';
import { findBackup } from './perform-snapshot.ts';
import type { Performed } from './run-jobs.ts';

/** What a capture leaves of the time that it is given. */
const RESERVE_MS = 30_000;

/** Takes what a backup's table has been changed since the last capture into the log in its repository. */
export async function performCapture(deps: JobDeps & { readonly tenant: string }, name: string): Promise<Performed> {
  const { repository: repositoryName, source } = findBackup(deps, name);
  const { repository } = await openPlannedRepository(deps, repositoryName, true);
  const log = await openLogOf({ ...deps, repository }, source);
  const capturedAtMs = deps.clock();
  const remainingMs = deps.remainingMs?.() ?? Number.POSITIVE_INFINITY;
  const report = await log.capture(capturedAtMs + remainingMs - RESERVE_MS);
  const about = { repository: repositoryName, source, backup: name, tenant: deps.tenant };
  const { rpoMs, untilMs, gaps } = await noteCapture(deps.table, about, { ...report, capturedAtMs });
  const { changes, parts } = report;
  const whole = report.untilMs === undefined ? '; time was up, the next capture takes the rest' : '';
  return {
    state: 'done',
    ok: true,
    sentence: `${changes} changes of ${source} captured; at most those of ${formatDuration(rpoMs)} were ever at stake${whole}`,
    result: { changes, parts, rpoMs, untilMs: untilMs ?? null, gaps: gaps.map((gap) => ({ ...gap })) },
  };
}
