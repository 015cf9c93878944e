import { INDEX, idOfKey, PACKS } from '#backups/format/layout.ts';
import { damaged, type Sealing, sealObject, unsealObject } from '#backups/format/sealed-object.ts';
import type { Secrets } from '#backups/format/secrets.ts';
import { listAll, newId, type Repository } from '#backups/repository/repository.ts';
import { chunk } from '#core/batch.ts';
import { isOpsError, isRetryable, OpsError } from '#core/errors.ts';
import { type ChunkIndex, createChunkIndex } from './chunk-index.ts';
import { decodeChunks, ENTRY_BYTES, encodeChunks, PACK_HEAD_BYTES, PACK_SALT_BYTES, type PackList } from './pack-format.ts';

const PACK_ID_BYTES = 16;
const HEAD_BYTES = PACK_ID_BYTES + PACK_SALT_BYTES + 4;
/** Index objects are read this many at a time. */
const READERS = 4;
const MAX_ROUNDS = 10;

/** An index object holds no more, unless one pack alone does: far from what an object may be, and little enough to hold several of. */
export const MAX_INDEX_BYTES: number = 8 << 20;

/** Puts the lists of these packs into as many index objects as it takes. */
export async function putIndexObjects(sealing: Sealing, repository: Repository, lists: readonly PackList[]): Promise<void> {
  for (const part of splitLists(lists)) {
    const key = INDEX + newId(sealing.randomBytes);
    await repository.blobs.put(key, sealObject(sealing, key, encodeLists(part)));
  }
}

/** The lists in their order, in parts that an index object has room for: packs of small files hold a hundred thousand chunks each. */
function splitLists(lists: readonly PackList[]): PackList[][] {
  const parts: PackList[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const list of lists) {
    const ownBytes = indexBytes(list);
    if (sizeBytes + ownBytes > MAX_INDEX_BYTES) {
      parts.push([]);
      sizeBytes = 0;
    }
    parts[parts.length - 1].push(list);
    sizeBytes += ownBytes;
  }
  return parts;
}

/** What a pack's list takes in an index object. */
export function indexBytes({ chunks }: PackList): number {
  return HEAD_BYTES + chunks.length * ENTRY_BYTES;
}

/** For each pack: id, salt, number of chunks (u32 little-endian), entries. */
function encodeLists(lists: readonly PackList[]): Buffer {
  return Buffer.concat(
    lists.flatMap(({ packId, salt, chunks }) => {
      const count = Buffer.alloc(4);
      count.writeUInt32LE(chunks.length);
      return [Buffer.from(packId, 'hex'), salt, count, encodeChunks(chunks)];
    }),
  );
}

/** What an index object says; `input`, naming it, where it is damaged. */
export function decodeLists(secrets: Secrets, key: string, bytes: Uint8Array): PackList[] {
  const content = Buffer.from(unsealObject(secrets, key, bytes));
  const lists: PackList[] = [];
  for (let at = 0; at < content.length; ) {
    if (at + HEAD_BYTES > content.length) throw damaged(key, 'it ends within a pack');
    const packId = content.toString('hex', at, at + PACK_ID_BYTES);
    const salt = content.subarray(at + PACK_ID_BYTES, at + PACK_ID_BYTES + PACK_SALT_BYTES);
    const end = at + HEAD_BYTES + content.readUInt32LE(at + HEAD_BYTES - 4) * ENTRY_BYTES;
    if (end > content.length) throw damaged(key, 'it ends within a pack');
    lists.push({ packId, salt, chunks: decodeChunks(content.subarray(at + HEAD_BYTES, end)) });
    at = end;
  }
  return lists;
}

/** The chunks of the packs that are there, but for those of `except`. */
export interface LoadedIndex {
  readonly chunks: ChunkIndex;
  /** Packs that are on the store, by id; sizes in bytes. */
  readonly packs: ReadonlyMap<string, number>;
}

/**
 * What all index objects say. Objects that a pruner replaces meanwhile are looked up anew, so that a pack may come twice.
 */
export async function* readIndexLists(repository: Repository, onDamage?: (error: OpsError) => void): AsyncGenerator<PackList> {
  const { blobs, secrets } = repository;
  const done = new Set<string>();
  for (let round = 1; ; round++) {
    const keys = (await listAll(blobs, INDEX)).map(({ key }) => key).filter((key) => !done.has(key));
    let hasMissed = false;
    for (const batch of chunk(keys, READERS)) {
      for (const read of await Promise.all(batch.map((key) => readLists(secrets, key, blobs.get(key), onDamage)))) {
        if (read) yield* read;
        else hasMissed = true;
      }
      for (const key of batch) done.add(key);
    }
    if (!hasMissed) return;
    if (round === MAX_ROUNDS) throw new OpsError('unavailable', 'the index kept changing while it was read');
  }
}

async function readLists(
  secrets: Secrets,
  key: string,
  body: Promise<Uint8Array>,
  onDamage: ((error: OpsError) => void) | undefined,
): Promise<PackList[] | undefined> {
  try {
    return decodeLists(secrets, key, await body);
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    if (!onDamage || !isOpsError(error) || isRetryable(error)) throw error;
    onDamage(error);
    return [];
  }
}

/**
 * Loads the index. An entry whose pack is not on the store (pruned, or lost) is left out, so that nothing is ever taken for stored that is not;
 * so is one of `except`.
 */
export async function loadIndex(
  repository: Repository,
  except: ReadonlySet<string> = new Set(),
  onDamage?: (error: OpsError) => void,
): Promise<LoadedIndex> {
  const entries = await listAll(repository.blobs, INDEX);
  const packs = await listPacks(repository);
  const sizeBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const chunks = createChunkIndex(sizeBytes / ENTRY_BYTES);
  for await (const list of readIndexLists(repository, onDamage)) {
    if (packs.has(list.packId) && !except.has(list.packId)) addPack(chunks, list);
  }
  return { chunks, packs };
}

/** The packs that are on the store, with their sizes in bytes. */
export async function listPacks(repository: Repository): Promise<Map<string, number>> {
  return new Map((await listAll(repository.blobs, PACKS)).map(({ key, sizeBytes }) => [idOfKey(key), sizeBytes]));
}

/** Takes a pack's chunks into the index. */
export function addPack(index: ChunkIndex, { packId, salt, chunks }: PackList): void {
  let offset = PACK_HEAD_BYTES;
  chunks.forEach(({ id, isCompressed, storedBytes, sizeBytes }, number) => {
    index.place(id, { packId, salt, number, offset, storedBytes, sizeBytes, isCompressed });
    offset += storedBytes;
  });
}
