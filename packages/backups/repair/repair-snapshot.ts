import { type Content, contentRefs } from '#backups/entries/chunk-refs.ts';
import { decodeEntries, type Entry } from '#backups/entries/entry.ts';
import { createEntryWriter } from '#backups/entries/entry-writer.ts';
import type { ChunkIndex } from '#backups/packs/chunk-index.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import { createChunkReader, readChunks } from '#backups/packs/chunk-reader.ts';
import { type ChunkClass, type ChunkWriter, createChunkWriter } from '#backups/packs/chunk-writer.ts';
import { type LoadedIndex, loadIndex } from '#backups/packs/index-objects.ts';
import { condemnedPacks } from '#backups/prune/condemned.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { openSession } from '#backups/take/session.ts';
import { OpsError } from '#core/errors.ts';
import type { SourceFault } from '#ports/backup-source.ts';

const MAX_LOST = 1_000;

/** What of a snapshot is lost: things by path, or stretches of paths. */
export interface SnapshotLoss {
  readonly lost: { path: string; message: string }[];
  readonly lostCount: number;
}

/** Finds what of a snapshot's entries and content is in no pack. */
export async function findLoss(repository: Repository, snapshot: Snapshot): Promise<SnapshotLoss> {
  const loss = tally();
  const loaded = await loadIndex(repository);
  for await (const _ of soundEntries(createChunkReader(repository, loaded), loaded, snapshot.entries, loss.add));
  return loss.result();
}

/** Takes a new snapshot of what can be saved of one; the old one stays. Undefined where nothing is lost. */
export async function saveSnapshot(deps: BackupDeps, repository: Repository, snapshot: Snapshot): Promise<Snapshot | undefined> {
  if ((await findLoss(repository, snapshot)).lostCount === 0) return undefined;
  const sealing = { secrets: repository.secrets, randomBytes: deps.randomBytes };
  const session = await openSession(sealing, repository, { at: new Date(deps.clock()).toISOString() });
  const condemned = await condemnedPacks(repository);
  const live = (await loadIndex(repository, condemned)).chunks;
  // What lies in condemned packs alone is not lost: it is stored again, as a backup does.
  const loaded = await loadIndex(repository);
  const reader = createChunkReader(repository, loaded);
  const writer = createChunkWriter(sealing, repository, live);
  const entries = createEntryWriter(writer);
  const loss = tally();
  let [items, bytes] = [0, 0];
  for await (const entry of soundEntries(reader, loaded, snapshot.entries, loss.add)) {
    await storeAgain(reader, writer, live, entry);
    await entries.add(entry);
    items++;
    bytes += entry.sizeBytes;
  }
  const root = await entries.end();
  await writer.flush();
  const counts = { ...snapshot.counts, items, bytes };
  return session.commit({ ...snapshot, id: session.id, entries: root, counts, repairOf: { snapshot: snapshot.id, ...loss.result() } });
}

/** Stores what of an entry's content is not among what may be used. Throws `missing` where it has gone meanwhile. */
async function storeAgain(reader: ChunkReader, writer: ChunkWriter, live: ChunkIndex, { content }: Entry): Promise<void> {
  if (!content) return;
  const store = async (id: Uint8Array, kind: ChunkClass) => {
    if (live.has(id)) return;
    const [bytes] = await readChunks(reader, [id]);
    await writer.add(bytes, kind);
  };
  if (content.areLists) for (const { id } of content.refs) await store(id, 'entries');
  for await (const { id } of contentRefs(reader, content)) await store(id, 'content');
}

/** The entries whose content is all there; the others, and chunks of entries that are lost, are told. */
async function* soundEntries(
  reader: ChunkReader,
  loaded: LoadedIndex,
  entries: Content,
  onLost: (fault: SourceFault) => void,
): AsyncGenerator<Entry> {
  let last = '';
  for await (const { id } of refsOrTold(reader, entries, (error) =>
    onLost({ path: '', message: `a list of entries is lost: ${error.message}` }),
  )) {
    const [chunk] = await reader.read([id]);
    if (chunk instanceof OpsError) {
      onLost({ path: last, message: `everything after this path, up to the next that is there, is lost: ${chunk.message}` });
      continue;
    }
    for (const entry of decodeEntries(chunk)) {
      const problem = await contentProblem(reader, loaded, entry);
      if (problem === undefined) yield entry;
      else onLost({ path: entry.path, message: problem });
      last = entry.path;
    }
  }
}

async function contentProblem(reader: ChunkReader, loaded: LoadedIndex, { content, sizeBytes }: Entry): Promise<string | undefined> {
  let problem: string | undefined;
  let offset = 0;
  const refs = content ? refsOrTold(reader, content, (error) => (problem ??= error.message)) : [];
  for await (const { id, sizeBytes: size } of refs) {
    if (!loaded.chunks.has(id)) problem ??= `bytes ${offset} to ${offset + size} of ${sizeBytes} are lost`;
    offset += size;
  }
  return problem;
}

async function* refsOrTold(reader: ChunkReader, content: Content, onLost: (error: OpsError) => void): ReturnType<typeof contentRefs> {
  for (const ref of content.refs) {
    try {
      if (content.areLists) yield* contentRefs(reader, { refs: [ref], areLists: true });
      else yield ref;
    } catch (error) {
      if (!(error instanceof OpsError) || error.kind !== 'missing') throw error;
      onLost(error);
    }
  }
}

function tally() {
  const lost: SnapshotLoss['lost'] = [];
  let lostCount = 0;
  const add = (fault: SourceFault) => {
    lostCount++;
    if (lost.length < MAX_LOST) lost.push({ ...fault });
  };
  return { add, result: (): SnapshotLoss => ({ lost, lostCount }) };
}
