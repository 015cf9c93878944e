import { forgetSnapshots } from '#backups/forget/run-forget.ts';
import { snapshotKey } from '#backups/format/layout.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import { listSnapshots } from '#backups/repository/snapshots.ts';
import { type RepairedPacks, repairPacks } from './repair-packs.ts';
import { findLoss, type SnapshotLoss, saveSnapshot } from './repair-snapshot.ts';

export interface RepairInput {
  readonly repository: Repository;
  /** Tells what would be done, and does nothing. */
  readonly isDryRun?: boolean | undefined;
}

export interface RepairResult extends RepairedPacks {
  /** Snapshots of which something is lost: what, and the snapshot that holds the rest. */
  readonly snapshots: readonly (SnapshotLoss & { readonly snapshot: string; readonly replacedBy?: string | undefined })[];
  /** Snapshots whose manifest is damaged: all of them is lost. */
  readonly lostSnapshots: readonly { readonly snapshot: string; readonly message: string }[];
}

/**
 * Saves what can be saved, and lists the rest: the index from the packs, sound chunks from damaged packs, and of each snapshot that has lost something
 * a new one without it, in its place. Reads the whole repository. Take a backup of the source first, if there still is one: it stores again what is lost.
 */
export async function repairRepository(deps: BackupDeps, { repository, isDryRun = false }: RepairInput): Promise<RepairResult> {
  const packs = await repairPacks({ secrets: repository.secrets, randomBytes: deps.randomBytes }, repository, {
    isDryRun,
    at: new Date(deps.clock()).toISOString(),
  });
  const lostSnapshots: { snapshot: string; message: string }[] = [];
  const snapshots = await listSnapshots(repository, ({ message }, snapshot) => lostSnapshots.push({ snapshot, message }));
  const damaged: RepairResult['snapshots'][number][] = [];
  for (const snapshot of snapshots) {
    const loss = await findLoss(repository, snapshot);
    if (loss.lostCount === 0) continue;
    const saved = isDryRun ? undefined : await saveSnapshot(deps, repository, snapshot);
    // The new one is there before the old one goes.
    if (saved) await forgetSnapshots(repository, [snapshot]);
    damaged.push({ ...loss, snapshot: snapshot.id, replacedBy: saved?.id });
  }
  if (!isDryRun) await repository.blobs.delete(lostSnapshots.map(({ snapshot }) => snapshotKey(snapshot)));
  return { ...packs, snapshots: damaged, lostSnapshots };
}
