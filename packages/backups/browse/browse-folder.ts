import type { Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import { type EntryCursor, openEntryCursor } from './entry-cursor.ts';

/** Something in a folder; of kind `prefix` where nothing but what is in it tells that it is there. */
export type FolderEntry = Pick<Entry, 'path' | 'kind' | 'meta' | 'sizeBytes'>;

export interface BrowseInput {
  /** The folder; empty for all. */
  readonly path: string;
  /** Everything below, and not only what lies in the folder itself. */
  readonly isRecursive: boolean;
  /** Where to go on, as the page before told. */
  readonly from?: string | undefined;
  readonly limit: number;
}

export interface FolderPage {
  /** What is told of the folder itself. */
  readonly self?: FolderEntry | undefined;
  readonly entries: readonly FolderEntry[];
  /** The first path of the next page. */
  readonly next?: string | undefined;
}

/** One page of a folder in a snapshot, in the order of paths; what lies deeper is passed over and not read. `missing` for a path that is not there. */
export async function browseFolder(reader: ChunkReader, snapshot: Snapshot, input: BrowseInput): Promise<FolderPage> {
  const { path, from, limit } = input;
  const cursor = await openEntryCursor(reader, snapshot.entries);
  const self = path === '' ? undefined : await findEntry(cursor, path);
  const base = path === '' ? '' : `${path}/`;
  let next = from !== undefined && comparePaths(from, base) > 0 ? from : base;
  const entries: FolderEntry[] = [];
  await cursor.seek(next);
  for (;;) {
    const entry = await cursor.next();
    if (!entry?.path.startsWith(base)) break;
    if (entries.length === limit) return { self, entries, next };
    const child = input.isRecursive ? entry.path : childOf(entry.path, base);
    if (child === entry.path) {
      entries.push(entry);
      next = `${child}\0`;
      continue;
    }
    next = pastOf(child);
    if (!(await findEntry(cursor, child))) entries.push({ path: child, kind: 'prefix', meta: {}, sizeBytes: 0 });
    await cursor.seek(next);
  }
  if (!self && entries.length === 0 && from === undefined && path !== '')
    throw new OpsError('missing', `the snapshot has no ${path}`, { hint: 'List the folder that it should be in.' });
  return { self, entries };
}

/** What lies in the folder itself of a path below it. */
function childOf(path: string, base: string): string {
  const slash = path.indexOf('/', base.length);
  return slash < 0 ? path : path.slice(0, slash);
}

/** The first path behind everything in a folder: `0` follows `/`. */
function pastOf(folder: string): string {
  return `${folder}0`;
}

async function findEntry(cursor: EntryCursor, path: string): Promise<Entry | undefined> {
  await cursor.seek(path);
  const entry = await cursor.next();
  return entry?.path === path ? entry : undefined;
}
