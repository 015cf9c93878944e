import { type ForgetDecision, isEmptyPolicy, planForget } from '#backups/forget/plan-forget.ts';
import { runForget } from '#backups/forget/run-forget.ts';
import { runPrune } from '#backups/prune/run-prune.ts';
import { listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { openLogOf, type PointInTimeDeps } from '#backups/restore/point-in-time.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import { noteCoverage } from './log-state.ts';
import { snapshotsOf } from './perform-snapshot.ts';
import type { Performed } from './run-jobs.ts';

/** Forgets what the retention of each backup in a repository lets go, copies too, and prunes what nothing needs any more. */
export async function performForget(deps: JobDeps, repositoryName: string): Promise<Performed> {
  const { repository, retention, plan } = await openPlannedRepository(deps, repositoryName);
  const snapshots = await listSnapshots(repository, () => undefined);
  const forgotten = await runForget(repository, planRetention(deps, repositoryName, snapshots));
  const pruned = await runPrune(deps, { repository, retention, lockForMs: plan.lock });
  // Throws where a snapshot cannot be read: what it needs is not known.
  await pruneLogs({ ...deps, repository }, repositoryName, await listSnapshots(repository));
  const { deletedPacks, sparedPacks, waiting } = pruned;
  const waits = waiting.length > 0 ? `; ${waiting.length} sessions are waited for` : '';
  return {
    state: 'done',
    ok: true,
    sentence: `${forgotten.length} of ${snapshots.length} snapshots forgotten, ${deletedPacks} packs deleted${waits}`,
    result: { forgotten: forgotten.map(({ id }) => id), deletedPacks, sparedPacks, waiting: waiting.map(({ session }) => session) },
  };
}

/** Deletes of change logs what no snapshot that is kept needs. Without any snapshot of the table all of it is kept, for the first one to come. */
async function pruneLogs(deps: JobDeps & PointInTimeDeps, repositoryName: string, kept: readonly Snapshot[]): Promise<void> {
  const planned = deps.file.backups.filter(({ repository, changes }) => changes && repository === repositoryName);
  for (const source of new Set(planned.map((plan) => plan.source))) {
    const times = kept.filter((snapshot) => snapshot.source.name === source).map(({ guarantee }) => Date.parse(guarantee.at));
    if (times.length === 0) continue;
    const log = await openLogOf(deps, source);
    if ((await log.prune(Math.min(...times))) === 0) continue;
    await noteCoverage(deps.table, { repository: repositoryName, source }, await log.coverage());
  }
}

/**
 * What becomes of each snapshot of a repository, and why. Those of no backup in the configuration, or of one without retention, are kept; of several
 * backups of one source each keeps what its own retention does.
 */
function planRetention(
  deps: Pick<JobDeps, 'file' | 'host' | 'clock'>,
  repositoryName: string,
  snapshots: readonly Snapshot[],
): ForgetDecision<Snapshot>[] {
  const decisions = deps.file.backups
    .filter(({ repository, copyTo }) => repository === repositoryName || copyTo.includes(repositoryName))
    .flatMap((plan) => {
      const { retention } = plan;
      const own = snapshotsOf(deps, plan, snapshots);
      if (retention && !isEmptyPolicy(retention)) return planForget(own, retention, deps.clock());
      return own.map((snapshot) => ({ snapshot, keep: true, reasons: [`${plan.name} has no retention`], counters: {} }));
    });
  const bySnapshot = Map.groupBy(decisions, ({ snapshot }) => snapshot.id);
  return [...bySnapshot.values()].map((each) => each.find(({ keep }) => keep) ?? (each[0] as ForgetDecision<Snapshot>));
}
