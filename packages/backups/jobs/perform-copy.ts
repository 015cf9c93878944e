import { copySnapshots } from '#backups/copy/copy-snapshots.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import { findBackup, snapshotsOf } from './perform-snapshot.ts';
import type { Performed } from './run-jobs.ts';

/** With less time than this left no further snapshot is begun. */
const RESERVE_MS = 120_000;

/** Copies a backup's snapshots to the repositories that it names, one by one; those that are there are not copied again. */
export async function performCopy(deps: JobDeps, name: string): Promise<Performed> {
  const plan = findBackup(deps, name);
  const { repository: from } = await openPlannedRepository(deps, plan.repository);
  const snapshots = snapshotsOf(deps, plan, await listSnapshots(from, () => undefined));
  let copied = 0;
  for (const copyTo of plan.copyTo) {
    const { repository: to } = await openPlannedRepository(deps, copyTo, true);
    if (to.id === from.id) throw new OpsError('input', `${copyTo} is the repository ${plan.repository} itself`);
    for (const snapshot of snapshots) {
      if ((deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < RESERVE_MS) {
        return { state: 'continued', progress: copied, sentence: `${copied} snapshots copied so far` };
      }
      copied += (await copySnapshots(deps, { from, to, snapshots: [snapshot] })).copied.length;
    }
  }
  const sentence = `${copied} snapshots copied to ${plan.copyTo.join(', ')}; ${snapshots.length} are there`;
  return { state: 'done', ok: true, sentence, result: { copied, snapshots: snapshots.length } };
}
