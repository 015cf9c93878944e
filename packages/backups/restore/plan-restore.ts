import { contentRefs } from '#backups/entries/chunk-refs.ts';
import { matchesFilter, watchIncluded } from '#backups/entries/entry-filter.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import { loadIndex } from '#backups/packs/index-objects.ts';
import { planEntry, type RestoreInput } from './run-restore.ts';

/** What a restore would do, and what it would cost. */
export interface RestorePlan {
  readonly create: number;
  readonly replace: number;
  readonly keep: number;
  /** Bytes to be written, and to be read from the store. */
  readonly bytes: number;
  readonly storedBytes: number;
  /** Range requests at most: those for chunks that lie together are made as one. */
  readonly requests: number;
  /** Things that would be replaced, the first of them. */
  readonly replacedPaths: readonly string[];
  /** Paths of which a chunk is in no pack, and included ones that the snapshot has not. */
  readonly lostPaths: readonly string[];
}

const MAX_PATHS = 1_000;

/** Looks at every thing that a restore would, and writes nothing. */
export async function planRestore({ repository, snapshot, target, filter = {} }: RestoreInput): Promise<RestorePlan> {
  const loaded = await loadIndex(repository);
  const reader = createChunkReader(repository, loaded);
  const plan = { create: 0, replace: 0, keep: 0, bytes: 0, storedBytes: 0, requests: 0 };
  const replacedPaths: string[] = [];
  const lostPaths: string[] = [];
  let last: { packId: string; end: number } | undefined;
  const included = watchIncluded(filter);
  for await (const entry of readEntries(reader, snapshot.entries)) {
    included.see(entry.path);
    if (!matchesFilter(filter, entry)) continue;
    const how = await planEntry(target, entry);
    plan[how]++;
    if (how === 'replace' && replacedPaths.length < MAX_PATHS) replacedPaths.push(entry.path);
    if (how === 'keep' || !entry.content) continue;
    plan.bytes += entry.sizeBytes;
    let isLost = false;
    for await (const { id } of contentRefs(reader, entry.content)) {
      const location = loaded.chunks.find(id);
      isLost ||= location === undefined;
      if (!location) continue;
      plan.storedBytes += location.storedBytes;
      if (last?.packId !== location.packId || last.end !== location.offset) plan.requests++;
      last = { packId: location.packId, end: location.offset + location.storedBytes };
    }
    if (isLost && lostPaths.length < MAX_PATHS) lostPaths.push(entry.path);
  }
  return { ...plan, replacedPaths, lostPaths: [...included.unseen(), ...lostPaths] };
}
