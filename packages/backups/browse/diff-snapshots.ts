import { isSameContent } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { openEntryCursor } from './entry-cursor.ts';

/** What is another between two snapshots: `changed` in kind or content, `described` only in what is said about it. */
export type EntryDifference =
  | { readonly path: string; readonly change: 'added'; readonly after: Entry }
  | { readonly path: string; readonly change: 'removed'; readonly before: Entry }
  | { readonly path: string; readonly change: 'changed' | 'described'; readonly before: Entry; readonly after: Entry };

/** The differences from one snapshot to another, in the order of paths. */
export async function* diffSnapshots(repository: Repository, from: Snapshot, to: Snapshot): AsyncGenerator<EntryDifference> {
  for await (const { before, after } of pairEntries(createChunkReader(repository), from, to)) {
    const difference = compare(before, after);
    if (difference) yield difference;
  }
}

export interface DiffPage {
  readonly differences: readonly EntryDifference[];
  /** The first path of the next page. */
  readonly next?: string | undefined;
}

/** One page of the differences, from a path on; one that has compared `maxCompared` things ends, even if none differs. */
export async function pageDifferences(
  reader: ChunkReader,
  { from, to }: { readonly from: Snapshot; readonly to: Snapshot },
  { start, limit, maxCompared }: { readonly start?: string | undefined; readonly limit: number; readonly maxCompared: number },
): Promise<DiffPage> {
  const differences: EntryDifference[] = [];
  let compared = 0;
  for await (const { path, before, after } of pairEntries(reader, from, to, start)) {
    if (differences.length === limit || compared++ === maxCompared) return { differences, next: path };
    const difference = compare(before, after);
    if (difference) differences.push(difference);
  }
  return { differences };
}

interface Pair {
  readonly path: string;
  readonly before?: Entry | undefined;
  readonly after?: Entry | undefined;
}

/** What both snapshots have of each path. */
async function* pairEntries(reader: ChunkReader, from: Snapshot, to: Snapshot, start?: string): AsyncGenerator<Pair> {
  const olds = await openEntryCursor(reader, from.entries);
  const news = await openEntryCursor(reader, to.entries);
  if (start !== undefined) await Promise.all([olds.seek(start), news.seek(start)]);
  let [before, after] = [await olds.next(), await news.next()];
  while (before || after) {
    const order = !before ? 1 : !after ? -1 : comparePaths(before.path, after.path);
    const pair = { before: order <= 0 ? before : undefined, after: order >= 0 ? after : undefined };
    yield { path: (pair.before ?? pair.after)?.path ?? '', ...pair };
    if (order <= 0) before = await olds.next();
    if (order >= 0) after = await news.next();
  }
}

function compare(before: Entry | undefined, after: Entry | undefined): EntryDifference | undefined {
  if (!before) return after && { path: after.path, change: 'added', after };
  const { path } = before;
  if (!after) return { path, change: 'removed', before };
  if (before.kind !== after.kind || !isSameContent(before.content, after.content)) return { path, change: 'changed', before, after };
  return JSON.stringify(before.meta) === JSON.stringify(after.meta) ? undefined : { path, change: 'described', before, after };
}
