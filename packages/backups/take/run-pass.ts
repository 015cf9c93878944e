import type { Cutter } from '#backups/chunks/fast-cdc.ts';
import { type Content, isSameContent } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import type { EntryWriter } from '#backups/entries/entry-writer.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import type { ChunkWriter } from '#backups/packs/chunk-writer.ts';
import type { BackupSource, SourceFault, SourceItem } from '#ports/backup-source.ts';
import type { PartialItem, PassCounts } from './checkpoint.ts';
import { isStored, type ParentEntries } from './merge-parent.ts';
import { readItem } from './read-item.ts';

/** How a pass stands; the checkpoint is made of it. */
export interface PassState {
  cursor: string | undefined;
  partial: PartialItem | undefined;
  readonly counts: PassCounts;
  /** Paths that were not as the parent has them, the first of them. */
  readonly movedPaths: string[];
  readBytes: number;
}

export interface PassDeps {
  readonly source: BackupSource;
  readonly cutter: Cutter;
  readonly index: ChunkIndex;
  readonly reader: ChunkReader;
  readonly writer: ChunkWriter;
  readonly entries: EntryWriter;
  readonly parent: ParentEntries;
  /** Every byte is read, whatever the parent has. */
  readonly readAll: boolean;
  /** Whether what moved is counted: in the first pass, which compares with another snapshot. */
  readonly countsMoves: boolean;
  readonly onFault: (fault: SourceFault) => void;
  /** Between items and after each chunk: keeps checkpoints; true where time is up. */
  readonly pause: (partial?: () => PartialItem) => Promise<boolean>;
  readonly onItem: (path: string) => void;
}

const MAX_MOVED_PATHS = 100;

/** Goes once over the source: what the parent has under the same stamp is taken over, all else is read. False where time was up. */
export async function runPass(deps: PassDeps, state: PassState): Promise<boolean> {
  for await (const item of deps.source.list({ after: state.cursor, onFault: deps.onFault })) {
    const parent = await deps.parent.find(item.path);
    const entry = await entryOf(deps, state, item, parent);
    if (entry === 'stopped') return false;
    if (entry) {
      await deps.entries.add(entry);
      countEntry(deps, state, entry, parent);
    }
    state.cursor = item.cursor;
    state.partial = undefined;
    deps.onItem(item.path);
    if (await deps.pause()) return false;
  }
  return true;
}

/** The item's entry; undefined where it could not be read. */
async function entryOf(
  deps: PassDeps,
  state: PassState,
  item: SourceItem,
  parent: Entry | undefined,
): Promise<Entry | 'stopped' | undefined> {
  const { path, kind, stamp, meta, open } = item;
  const base = { path, kind, meta, ...(stamp === undefined ? {} : { stamp }) };
  if (!open) return { ...base, sizeBytes: 0 };
  if (!deps.readAll && parent && (await isUnchanged(deps, item, parent))) {
    return { ...base, sizeBytes: parent.sizeBytes, content: parent.content as Content };
  }
  const onChunk = async (sizeBytes: number, progress: () => Pick<PartialItem, 'offset' | 'content'>) => {
    state.readBytes += sizeBytes;
    // Without a stamp nothing would tell that the rest is of the same content.
    return deps.pause(stamp === undefined ? undefined : () => ({ path, stamp, ...progress() }));
  };
  const { partial } = state;
  const isSame = partial?.path === path && partial.stamp === stamp;
  const read = await readItem({ cutter: deps.cutter, writer: deps.writer, onChunk }, open, isSame ? partial : undefined);
  if (read.state === 'stopped') return 'stopped';
  if (read.state === 'read') return { ...base, sizeBytes: read.sizeBytes, content: read.content };
  deps.onFault({ path, message: read.error.message });
  return undefined;
}

async function isUnchanged({ index, reader }: PassDeps, { kind, stamp }: SourceItem, parent: Entry): Promise<boolean> {
  return (
    stamp !== undefined && parent.stamp === stamp && parent.kind === kind && parent.content !== undefined && isStored(index, reader, parent)
  );
}

function countEntry({ countsMoves }: PassDeps, { counts, movedPaths }: PassState, entry: Entry, parent: Entry | undefined): void {
  counts.items++;
  counts.bytes += entry.sizeBytes;
  const isUnchanged = parent !== undefined && isSameEntry(entry, parent);
  if (countsMoves) counts[isUnchanged ? 'unchangedItems' : parent ? 'changedItems' : 'newItems']++;
  if (isUnchanged) return;
  if (movedPaths.length < MAX_MOVED_PATHS) movedPaths.push(entry.path);
}

/** Whether a thing is as it was, in content and in everything about it. */
function isSameEntry(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && isSameContent(a.content, b.content) && JSON.stringify(a.meta) === JSON.stringify(b.meta);
}
