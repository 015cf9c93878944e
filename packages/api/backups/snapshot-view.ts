import type { FolderEntry } from '#backups/browse/browse-folder.ts';
import type { EntryDifference } from '#backups/browse/diff-snapshots.ts';
import type { BackupsFile } from '#backups/jobs/backups-file.ts';
import { snapshotsOf } from '#backups/jobs/perform-snapshot.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';

/** A snapshot as the API shows it, with the backup that it is of, where the configuration still has that. */
export function describeSnapshot(file: BackupsFile, host: string, repository: string, { entries: _, ...snapshot }: Snapshot): object {
  return { ...snapshot, repository, backup: backupOf(file, host, repository, { ...snapshot, entries: _ })?.name };
}

/** The same without the lists, for many at once. */
export function summarizeSnapshot(file: BackupsFile, host: string, repository: string, snapshot: Snapshot): object {
  const { id, at, source, tags, kind, guarantee, counts, faultCount, copyOf } = snapshot;
  const { consistency, at: of } = guarantee;
  return {
    ...{ id, repository, backup: backupOf(file, host, repository, snapshot)?.name, at, source, host: snapshot.host, tags, kind },
    ...{ guarantee: { consistency, at: of }, counts, faultCount, copyOf },
  };
}

/** The backup that took a snapshot, or had it copied. */
export function backupOf(
  { backups }: BackupsFile,
  host: string,
  repository: string,
  snapshot: Snapshot,
): BackupsFile['backups'][number] | undefined {
  return backups.find(
    (plan) => (plan.repository === repository || plan.copyTo.includes(repository)) && snapshotsOf({ host }, plan, [snapshot]).length > 0,
  );
}

/** Something in a snapshot. */
export function describeEntry({ path, kind, sizeBytes, meta }: FolderEntry): object {
  return { path, kind, sizeBytes, meta };
}

/** What differs between two snapshots. */
export function describeDifference(difference: EntryDifference): object {
  const { path, change } = difference;
  const before = 'before' in difference ? describeSide(difference.before) : undefined;
  const after = 'after' in difference ? describeSide(difference.after) : undefined;
  return { path, change, before, after };
}

function describeSide({ kind, sizeBytes, meta }: FolderEntry): object {
  return { kind, sizeBytes, meta };
}
