import { type EntryFilter, matchesFilter } from '#backups/entries/entry-filter.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';

/**
 * Throws `conflict` where the snapshot that was taken of a place before a restore lacks something that the restore may write over: then nothing would
 * bring that back.
 */
export function assertSaved({ id, faults, faultCount }: Snapshot, filter: EntryFilter = {}): void {
  const unsaved = faults.filter(({ path }) => matchesFilter(filter, { path, kind: 'file' }));
  // Of very many faults only the first are known.
  const count = unsaved.length + faultCount - faults.length;
  if (count === 0) return;
  const [first] = unsaved;
  const what = first
    ? `${count} things could not be saved first, such as ${first.path}: ${first.message}`
    : `${count} things could not be saved first`;
  throw new OpsError('conflict', `nothing is restored in place: ${what}`, {
    hint: `Snapshot ${id.slice(0, 12)} has the rest. Make them readable, leave them out of the restore, or restore beside.`,
  });
}
