import { type EntryFilter, matchesFilter } from '#backups/entries/entry-filter.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';

/**
 * Throws `conflict` where the snapshot that was taken of a place before a restore lacks something that the restore may write over: then nothing would
 * bring that back. A file that changed while it was read is not lacking.
 */
export async function assertSaved(repository: Repository, snapshot: Snapshot, filter: EntryFilter = {}): Promise<void> {
  const { id, entries, faults, faultCount } = snapshot;
  const unsaved = new Map(faults.filter(({ path }) => matchesFilter(filter, { path, kind: 'file' })).map((fault) => [fault.path, fault]));
  if (unsaved.size > 0) {
    // A directory that could not be listed is there without what is in it.
    for await (const { path, kind } of readEntries(createChunkReader(repository), entries)) if (kind !== 'dir') unsaved.delete(path);
  }
  // Of very many faults only the first are known.
  const count = unsaved.size + faultCount - faults.length;
  if (count === 0) return;
  const [first] = unsaved.values();
  const what = `${count} things could not be saved first${first ? `, such as ${first.path}: ${first.message}` : ''}`;
  throw new OpsError('conflict', `nothing is restored in place: ${what}`, {
    hint: `Snapshot ${id.slice(0, 12)} has the rest. Make them readable, leave them out of the restore, or restore beside.`,
  });
}
