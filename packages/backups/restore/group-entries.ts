import type { Entry } from '#backups/entries/entry.ts';
import type { ChunkRead, ChunkReader } from '#backups/packs/chunk-reader.ts';
import { OpsError } from '#core/errors.ts';
import { BATCH_BYTES, lostBytes, readContent } from './read-content.ts';

/** An entry with its content at hand or to be read. */
export interface ReadyEntry {
  readonly entry: Entry;
  /** A fresh stream from its beginning each time; undefined for what has no content. */
  readonly open?: (() => AsyncIterable<Uint8Array>) | undefined;
}

const MAX_GROUP = 512;

/** Entries with their content: that of many small ones is read together, while those before are being written; large ones stream. */
export async function* readGroups(reader: ChunkReader, entries: AsyncIterable<Entry>): AsyncGenerator<ReadyEntry[]> {
  const groups = groupEntries(entries);
  let ahead = readGroup(reader, groups);
  for (;;) {
    const group = await ahead;
    if (!group) return;
    ahead = readGroup(reader, groups);
    // A consumer that stops never awaits it.
    ahead.catch(() => undefined);
    yield group;
  }
}

async function readGroup(reader: ChunkReader, groups: AsyncGenerator<Entry[]>): Promise<ReadyEntry[] | undefined> {
  const next = await groups.next();
  if (next.done) return undefined;
  const group = next.value;
  const refs = group.filter(isSmall).flatMap(({ content }) => content?.refs ?? []);
  const reads = refs.length > 0 ? await reader.read(refs.map(({ id }) => id)) : [];
  let used = 0;
  return group.map((entry) => {
    const { content } = entry;
    if (!content) return { entry };
    if (!isSmall(entry)) return { entry, open: () => readContent(reader, entry) };
    const own = reads.slice(used, used + content.refs.length);
    used += own.length;
    return { entry, open: () => contentOf(entry, own) };
  });
}

async function* contentOf(entry: Entry, reads: readonly ChunkRead[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const [number, read] of reads.entries()) {
    const { sizeBytes } = entry.content?.refs[number] ?? { sizeBytes: 0 };
    if (read instanceof OpsError) throw lostBytes(entry, offset, sizeBytes, read);
    offset += sizeBytes;
    yield read;
  }
  if (offset !== entry.sizeBytes) throw new OpsError('input', `${offset} bytes of content instead of ${entry.sizeBytes}`);
}

function isSmall({ content, sizeBytes }: Entry): boolean {
  return content !== undefined && !content.areLists && sizeBytes <= BATCH_BYTES / 2;
}

async function* groupEntries(entries: AsyncIterable<Entry>): AsyncGenerator<Entry[]> {
  let group: Entry[] = [];
  let sizeBytes = 0;
  for await (const entry of entries) {
    const ownBytes = isSmall(entry) ? entry.sizeBytes : 0;
    if (group.length >= MAX_GROUP || (group.length > 0 && sizeBytes + ownBytes > BATCH_BYTES)) {
      yield group;
      group = [];
      sizeBytes = 0;
    }
    group.push(entry);
    sizeBytes += ownBytes;
  }
  if (group.length > 0) yield group;
}
