import { isSameContent } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';

/** What is another between two snapshots: `changed` in kind or content, `described` only in what is said about it. */
export type EntryDifference =
  | { readonly path: string; readonly change: 'added'; readonly after: Entry }
  | { readonly path: string; readonly change: 'removed'; readonly before: Entry }
  | { readonly path: string; readonly change: 'changed' | 'described'; readonly before: Entry; readonly after: Entry };

/** The differences from one snapshot to another, in the order of paths. */
export async function* diffSnapshots(repository: Repository, from: Snapshot, to: Snapshot): AsyncGenerator<EntryDifference> {
  const reader = createChunkReader(repository);
  const olds = readEntries(reader, from.entries);
  const news = readEntries(reader, to.entries);
  let [before, after] = [await nextOf(olds), await nextOf(news)];
  while (before || after) {
    const order = !before ? 1 : !after ? -1 : comparePaths(before.path, after.path);
    const difference = compare(order <= 0 ? before : undefined, order >= 0 ? after : undefined);
    if (difference) yield difference;
    if (order <= 0) before = await nextOf(olds);
    if (order >= 0) after = await nextOf(news);
  }
}

async function nextOf(entries: AsyncGenerator<Entry>): Promise<Entry | undefined> {
  const next = await entries.next();
  return next.done ? undefined : next.value;
}

function compare(before: Entry | undefined, after: Entry | undefined): EntryDifference | undefined {
  if (!before) return after && { path: after.path, change: 'added', after };
  const { path } = before;
  if (!after) return { path, change: 'removed', before };
  if (before.kind !== after.kind || !isSameContent(before.content, after.content)) return { path, change: 'changed', before, after };
  return JSON.stringify(before.meta) === JSON.stringify(after.meta) ? undefined : { path, change: 'described', before, after };
}
