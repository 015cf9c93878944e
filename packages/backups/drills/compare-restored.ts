import { contentRefs } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import { comparePaths } from '#backups/entries/path-order.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { isOpsError } from '#core/errors.ts';
import type { BackupSource, SourceItem } from '#ports/backup-source.ts';
import { type ComparedView, comparedView } from './compared-view.ts';
import { createLineDigest, type LineDigest } from './line-digest.ts';
import { CHANGES, digestWanted } from './wanted-lines.ts';

export interface CompareInput {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** What was restored, read back. */
  readonly restored: BackupSource;
  /** As of `digestWanted`. */
  readonly keysAtOnce?: number | undefined;
}

/** One thing that is not as the snapshot has it. */
export interface Difference {
  readonly path: string;
  readonly message: string;
}

/** What comparing came to. */
export interface Comparison {
  /** Things compared, and bytes of their content. */
  readonly items: number;
  readonly bytes: number;
  /** Items of tables. */
  readonly lines: number;
  /** At most 1,000. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
}

const KEPT_DIFFERENCES = 1_000;

/**
 * Compares what was restored with the snapshot, by reading all of it: content by the ids of its chunks, so that the repository's own bytes need
 * not be read again; items of tables as a set of lines, with the changes that the snapshot has for them. Owners and times are the target's matter, which tells itself what it cannot keep.
 */
export async function compareRestored({ repository, snapshot, restored, keysAtOnce }: CompareInput): Promise<Comparison> {
  const reader = createChunkReader(repository);
  const tally = createTally();
  const view = comparedView(snapshot.source.type);
  const open = () => view.wanted(() => readEntries(reader, snapshot.entries));
  const lines = { wanted: await digestWanted({ reader, open, lineKind: view.lineKind, keysAtOnce }), found: createLineDigest() };
  const entries = open()[Symbol.asyncIterator]();
  const onFault = (fault: Difference) => tally.differ(fault.path, `cannot be read back: ${fault.message}`);
  const items = view.found(restored.list({ onFault }))[Symbol.asyncIterator]();
  const reading: ReadingBack = { view, digest: lines.found, tally };
  let [entry, item] = [await nextEntry(entries, view), await nextItem(items, reading)];
  while (entry || item) {
    const order = !entry ? 1 : !item ? -1 : comparePaths(entry.path, item.path);
    if (entry && order < 0 && !view.mayLack) tally.differ(entry.path, 'is missing');
    else if (item && order > 0) tally.differ(item.path, 'is there, and not in the snapshot');
    else if (entry && item && order === 0) await compareOne({ repository, reader, tally }, entry, item);
    if (order <= 0) entry = await nextEntry(entries, view);
    if (order >= 0) item = await nextItem(items, reading);
  }
  const difference = lines.wanted.compare(lines.found);
  if (difference !== undefined) tally.differ(view.lineKind, difference);
  return { ...tally.result(), lines: lines.wanted.count() };
}

type Tally = ReturnType<typeof createTally>;

function createTally() {
  const differences: Difference[] = [];
  const counts = { items: 0, bytes: 0, differenceCount: 0 };
  return {
    differ(path: string, message: string) {
      counts.differenceCount++;
      if (differences.length < KEPT_DIFFERENCES) differences.push({ path, message });
    },
    count(bytes: number) {
      counts.items++;
      counts.bytes += bytes;
    },
    result: () => ({ ...counts, differences }),
  };
}

/** The next entry that is compared by its path. */
async function nextEntry(entries: AsyncIterator<Entry>, { lineKind }: ComparedView): Promise<Entry | undefined> {
  for (;;) {
    const { done, value } = await entries.next();
    if (done) return undefined;
    if (value.kind !== lineKind && value.kind !== CHANGES) return value;
  }
}

interface ReadingBack {
  readonly view: ComparedView;
  readonly digest: LineDigest;
  readonly tally: Tally;
}

/** The next thing that is compared by its path; lines go into the digest. */
async function nextItem(items: AsyncIterator<SourceItem>, { view, digest, tally }: ReadingBack): Promise<SourceItem | undefined> {
  for (;;) {
    const { done, value } = await items.next();
    if (done) return undefined;
    if (value.kind !== view.lineKind) return value;
    const message = await readingBack(async () => {
      for await (const piece of value.open?.(0) ?? []) digest.add(piece);
    });
    digest.endPart();
    if (message !== undefined) tally.differ(value.path, message);
  }
}

interface ComparingDeps {
  readonly repository: Repository;
  readonly reader: ChunkReader;
  readonly tally: Tally;
}

async function compareOne({ repository, reader, tally }: ComparingDeps, entry: Entry, item: SourceItem): Promise<void> {
  tally.count(entry.sizeBytes);
  if (entry.kind !== item.kind) return tally.differ(entry.path, `is a ${item.kind}, and was a ${entry.kind}`);
  if (entry.meta.target !== item.meta.target) return tally.differ(entry.path, 'points elsewhere');
  if (!entry.content) return undefined;
  const message = await readingBack(async () => {
    const found = await compareContent(repository, reader, entry, item);
    if (found !== undefined) tally.differ(entry.path, found);
  });
  return message === undefined ? undefined : tally.differ(entry.path, message);
}

/** Why it could not be read back, for what the source refuses for good. */
async function readingBack(read: () => Promise<void>): Promise<string | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    if (!isOpsError(error) || error.kind === 'unavailable') throw error;
    return `cannot be compared: ${error.message}`;
  }
}

/** Cuts what was restored where the snapshot's chunks end, and compares their ids. */
async function compareContent(repository: Repository, reader: ChunkReader, entry: Entry, item: SourceItem): Promise<string | undefined> {
  const bytes = byteReader(item.open?.(0) ?? emptyStream());
  let offset = 0;
  for await (const { id, sizeBytes } of contentRefs(reader, entry.content ?? { refs: [], areLists: false })) {
    const found = await bytes.read(sizeBytes);
    if (found.length < sizeBytes) return `has ${offset + found.length} bytes, and had ${entry.sizeBytes}`;
    if (Buffer.compare(repository.secrets.idOf(found), id) !== 0) return `differs between bytes ${offset} and ${offset + sizeBytes}`;
    offset += sizeBytes;
  }
  return (await bytes.read(1)).length === 0 ? undefined : `has more than the ${entry.sizeBytes} bytes that it had`;
}

async function* emptyStream(): AsyncGenerator<Uint8Array> {}

/** Reads so many bytes at a time of a stream; fewer at its end. */
function byteReader(stream: AsyncIterable<Uint8Array>) {
  const pieces = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    async read(sizeBytes: number): Promise<Uint8Array> {
      const parts: Uint8Array[] = [];
      let missing = sizeBytes;
      while (missing > 0) {
        if (rest.length === 0) {
          const { done, value } = await pieces.next();
          if (done) break;
          rest = value;
          continue;
        }
        const part = rest.subarray(0, missing);
        parts.push(part);
        rest = rest.subarray(part.length);
        missing -= part.length;
      }
      return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    },
  };
}
