import { type Content, createContentBuilder, isSameContent } from '#backups/entries/chunk-refs.ts';
import type { Entry } from '#backups/entries/entry.ts';
import { createEntryWriter } from '#backups/entries/entry-writer.ts';
import { readEntries } from '#backups/entries/read-entries.ts';
import { seriesOf } from '#backups/forget/run-forget.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import { type ChunkWriter, createChunkWriter } from '#backups/packs/chunk-writer.ts';
import { type LoadedIndex, loadIndex } from '#backups/packs/index-objects.ts';
import { condemnedPacks } from '#backups/prune/condemned.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import { listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { type ReadyEntry, readGroups } from '#backups/restore/group-entries.ts';
import { isStored, walkParent } from '#backups/take/merge-parent.ts';
import { openSession } from '#backups/take/session.ts';

export interface CopyInput {
  readonly from: Repository;
  readonly to: Repository;
  /** Absent, all. */
  readonly snapshots?: readonly Snapshot[] | undefined;
  readonly onCopied?: ((copy: Snapshot) => void) | undefined;
}

/** What a copy came to. */
export interface CopyResult {
  readonly copied: readonly Snapshot[];
  /** Those that had been copied before. */
  readonly there: readonly Snapshot[];
}

/** A snapshot and its copy: what both have under one path need not be read again. */
interface Pair {
  readonly original: Snapshot;
  readonly copy: Snapshot;
}

interface Copying {
  readonly from: Repository;
  readonly to: Repository;
  readonly fromReader: ChunkReader;
  readonly loaded: LoadedIndex;
  readonly writer: ChunkWriter;
  /** Called after each chunk: what was written is put into the index now and then, where the next attempt finds it. */
  readonly settle: () => Promise<void>;
}

/** So many packs are put between two index objects. */
const SETTLE_PACKS = 32;

/**
 * Copies snapshots to another repository, whose keys are others, chunk by chunk and without the source. What an earlier copy of the same source has is
 * not read again. Each snapshot is copied whole or not at all; called again it goes on with the next. `missing` where a chunk is lost.
 */
export async function copySnapshots(deps: BackupDeps, { from, to, snapshots, onCopied }: CopyInput): Promise<CopyResult> {
  const wanted = snapshots ?? (await listSnapshots(from));
  const copies = new Map(
    (await listSnapshots(to)).flatMap((copy) => (copy.copyOf?.repository === from.id ? [[copy.copyOf.snapshot, copy] as const] : [])),
  );
  const pairs = new Map<string, Pair>();
  const copied: Snapshot[] = [];
  const there: Snapshot[] = [];
  for (const original of wanted) {
    const known = copies.get(original.id);
    const copy = known ?? (await copySnapshot(deps, from, to, original, pairs.get(seriesOf(original))));
    pairs.set(seriesOf(original), { original, copy });
    (known ? there : copied).push(copy);
    if (!known) onCopied?.(copy);
  }
  return { copied, there };
}

async function copySnapshot(
  deps: BackupDeps,
  from: Repository,
  to: Repository,
  original: Snapshot,
  before: Pair | undefined,
): Promise<Snapshot> {
  const sealing = { secrets: to.secrets, randomBytes: deps.randomBytes };
  // As a backup does: session, condemned packs, index.
  const session = await openSession(sealing, to, { at: new Date(deps.clock()).toISOString() });
  const loaded = await loadIndex(to, await condemnedPacks(to));
  const writer = createChunkWriter(sealing, to, loaded.chunks);
  const copying = {
    from,
    to,
    fromReader: createChunkReader(from),
    loaded,
    writer,
    settle: settleEvery(SETTLE_PACKS * to.packBytes, writer),
  };
  const entries = await copyEntries(copying, original, before);
  await writer.flush();
  const { newBytes, storedBytes } = writer.counts;
  const { parent: _, ...rest } = original;
  const counts = { ...original.counts, newBytes, storedBytes };
  return session.commit({ ...rest, id: session.id, copyOf: { repository: from.id, snapshot: original.id }, entries, counts });
}

async function copyEntries(copying: Copying, original: Snapshot, before: Pair | undefined): Promise<Content> {
  const { fromReader, loaded, to, writer } = copying;
  const toReader = createChunkReader(to, loaded);
  const olds = walkParent(before && readEntries(fromReader, before.original.entries));
  const copies = walkParent(before && readEntries(toReader, before.copy.entries));
  const known = new Map<Entry, Content>();
  const entries = createEntryWriter(writer);
  for await (const group of readGroups(fromReader, withoutKnown())) {
    for (const ready of group) {
      const content = known.get(ready.entry) ?? (await copyContent(copying, ready));
      known.delete(ready.entry);
      await entries.add(content ? { ...ready.entry, content } : ready.entry);
    }
  }
  return entries.end();

  /** The entries; of what the earlier copy has the content is left out, so that it is not read. */
  async function* withoutKnown(): AsyncGenerator<Entry> {
    for await (const entry of readEntries(fromReader, original.entries)) {
      const old = await olds.find(entry.path);
      const copy = old && entry.content && isSameContent(old.content, entry.content) ? await copies.find(entry.path) : undefined;
      const { content, ...bare } = entry;
      if (copy?.content && (await isStored(loaded.chunks, toReader, copy))) {
        known.set(bare, copy.content);
        yield bare;
      } else yield content ? entry : bare;
    }
  }
}

async function copyContent({ writer, settle }: Copying, { open }: ReadyEntry): Promise<Content | undefined> {
  if (!open) return undefined;
  const content = createContentBuilder(writer);
  // The pieces are the chunks.
  for await (const chunk of open()) {
    await content.add(await writer.add(chunk, 'content'));
    await settle();
  }
  return content.end();
}

function settleEvery(sizeBytes: number, writer: ChunkWriter): () => Promise<void> {
  let settledBytes = 0;
  return async () => {
    if (writer.counts.newBytes - settledBytes < sizeBytes) return;
    settledBytes = writer.counts.newBytes;
    await writer.flush();
  };
}
