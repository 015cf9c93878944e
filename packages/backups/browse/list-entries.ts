import type { Entry } from '#backups/entries/entry.ts';
import { type EntryFilter, matchesFilter } from '#backups/entries/entry-filter.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { readContent } from '#backups/restore/read-content.ts';
import { OpsError } from '#core/errors.ts';

/** What a snapshot holds, in the order of paths. */
export async function* listEntries(repository: Repository, snapshot: Snapshot, filter: EntryFilter = {}): AsyncGenerator<Entry> {
  for await (const entry of readEntries(createChunkReader(repository), snapshot.entries)) if (matchesFilter(filter, entry)) yield entry;
}

/** The content of one thing in a snapshot, verified; `missing` where there is none of that path, or a part of it is lost. */
export async function* openEntry(repository: Repository, snapshot: Snapshot, path: string): AsyncGenerator<Uint8Array> {
  const reader = createChunkReader(repository);
  for await (const entry of readEntries(reader, snapshot.entries)) {
    if (entry.path !== path) continue;
    yield* readContent(reader, entry);
    return;
  }
  throw new OpsError('missing', `the snapshot has no ${path}`, { hint: 'List its entries.' });
}
