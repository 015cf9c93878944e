import { snapshotKey } from '#backups/format/layout.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { isBeforeRestore, type Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import { type ForgetDecision, planForget, type RetentionPolicy } from './plan-forget.ts';

/** Applies a policy to the snapshots of each source and host by itself. */
export function planForgetBySource(snapshots: readonly Snapshot[], policy: RetentionPolicy, nowMs: number): ForgetDecision<Snapshot>[] {
  const series = Map.groupBy(snapshots, seriesOf);
  return [...series.values()].flatMap((own) => planForget(own, policy, nowMs));
}

/**
 * Forgets the snapshots that the plan does not keep; their content goes with the next prunes. Never all of one source's: `input`, since that is
 * what a policy with a mistake in it does. Those without a snapshot that is kept must be named one by one (`forgetSnapshots`).
 */
export async function runForget(repository: Repository, plan: readonly ForgetDecision<Snapshot>[]): Promise<Snapshot[]> {
  const kept = new Set(plan.filter(({ keep }) => keep).map(({ snapshot }) => seriesOf(snapshot)));
  const forgotten = plan.filter(({ keep }) => !keep).map(({ snapshot }) => snapshot);
  const emptied = forgotten.find((snapshot) => !kept.has(seriesOf(snapshot)));
  if (emptied) {
    throw new OpsError('input', `the policy keeps no snapshot of ${emptied.source.name} at all`, {
      hint: 'Correct the policy, or name the snapshots that are to be forgotten.',
    });
  }
  return forgetSnapshots(repository, forgotten);
}

/** Forgets these snapshots. */
export async function forgetSnapshots(repository: Repository, snapshots: readonly Snapshot[]): Promise<Snapshot[]> {
  if (snapshots.length > 0) await repository.blobs.delete(snapshots.map(({ id }) => snapshotKey(id)));
  return [...snapshots];
}

/** Snapshots of one source on one host, which a policy is applied to together. What was taken before restores takes no good one's place. */
export function seriesOf({ host, source, tags }: Pick<Snapshot, 'host' | 'source' | 'tags'>): string {
  return JSON.stringify([host, source.type, source.name, isBeforeRestore({ tags })]);
}
