import type { KeyObject } from 'node:crypto';
import { packKey } from '#backups/format/layout.ts';
import type { Sealing } from '#backups/format/sealed-object.ts';
import { compress } from '#backups/format/zstd.ts';
import { newId, type Repository } from '#backups/repository/repository.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { addPack, putIndexObjects } from './index-objects.ts';
import { PACK_SALT_BYTES, type PackedChunk, type PackList, packHead, packTail, sealChunk } from './pack-format.ts';

/** Plain bytes that may be on their way into packs. */
const MAX_PENDING_BYTES = 24 << 20;
const UPLOADS = 3;

/** Content and what describes it lie in packs of their own, so that a snapshot is browsed without reading content. */
export type ChunkClass = 'content' | 'entries';

/** A chunk by its id, and how many bytes of content it stands for. */
export interface ChunkRef {
  readonly id: Uint8Array;
  readonly sizeBytes: number;
}

export interface WriterCounts {
  /** Bytes of chunks that were not there, before and after compression and sealing. */
  newBytes: number;
  storedBytes: number;
  newChunks: number;
  packs: number;
}

export interface ChunkWriter {
  readonly counts: Readonly<WriterCounts>;
  /** Stores a chunk unless it is there; it may be on its way when this resolves. The bytes must not be touched again. */
  add(content: Uint8Array, kind: ChunkClass): Promise<ChunkRef>;
  /** Resolves when all that was added is durable and in an index object. */
  flush(): Promise<void>;
}

interface OpenPack {
  readonly packId: string;
  readonly salt: Uint8Array;
  readonly key: KeyObject;
  readonly chunks: PackedChunk[];
  readonly parts: Uint8Array[];
  sizeBytes: number;
}

/**
 * Writes chunks into packs. They are compressed several at a time on other threads and appended in the order in which they were added, so that
 * what lies together is read together; `add` waits while too much is on its way. After a failure everything fails with it.
 */
export function createChunkWriter(sealing: Sealing, repository: Repository, index: ChunkIndex): ChunkWriter {
  const counts: WriterCounts = { newBytes: 0, storedBytes: 0, newChunks: 0, packs: 0 };
  const failed: Failure = {};
  const packer = createPacker(sealing, repository, index, { counts, failed });
  let pendingBytes = 0;
  let tail: Promise<void> = Promise.resolve();

  const add = async (content: Uint8Array, kind: ChunkClass): Promise<ChunkRef> => {
    throwFailure(failed);
    const id = repository.secrets.idOf(content);
    const ref = { id, sizeBytes: content.length };
    if (index.has(id)) return ref;
    index.reserve(id);
    counts.newBytes += content.length;
    counts.newChunks++;
    pendingBytes += content.length;
    const packing = compress(content);
    if (packing instanceof Promise) packing.catch((error: unknown) => fail(failed, error));
    tail = tail
      .then(async () => {
        if (!failed.failure) await packer.append(id, content, await packing, kind);
      })
      .catch((error: unknown) => fail(failed, error))
      .finally(() => {
        pendingBytes -= content.length;
      });
    while (pendingBytes > MAX_PENDING_BYTES) await tail;
    return ref;
  };
  const flush = async () => {
    await tail;
    const lists = await packer.end();
    await putIndexObjects(sealing, repository, lists);
  };
  return { counts, add, flush };
}

/** What went wrong first. */
interface Failure {
  failure?: { readonly error: unknown };
}

function fail(failed: Failure, error: unknown): void {
  failed.failure ??= { error };
}

function throwFailure({ failure }: Failure): void {
  if (failure) throw failure.error;
}

interface Packer {
  append(id: Uint8Array, content: Uint8Array, packed: Uint8Array | undefined, kind: ChunkClass): Promise<void>;
  /** Resolves when all is on the store, with the lists of the packs since the last time. */
  end(): Promise<PackList[]>;
}

/** Fills packs, one of each class at a time, and uploads those that are full, a few at a time. */
function createPacker(
  sealing: Sealing,
  repository: Repository,
  index: ChunkIndex,
  { counts, failed }: { readonly counts: WriterCounts; readonly failed: Failure },
): Packer {
  const open = new Map<ChunkClass, OpenPack>();
  const uploads = new Set<Promise<void>>();
  let unlisted: PackList[] = [];

  const upload = async ({ packId, salt, key, chunks, parts }: OpenPack) => {
    const pack = Buffer.concat([...parts, packTail(key, packId, chunks)]);
    // Held twice, packs under way would take half of what memory there may be.
    parts.length = 0;
    // The id is fresh: that it exists can only mean that the answer to an earlier try was lost.
    await repository.blobs.put(packKey(packId), pack);
    const list = { packId, salt, chunks };
    addPack(index, list);
    unlisted.push(list);
    counts.packs++;
    counts.storedBytes += pack.length;
  };
  const close = async (kind: ChunkClass) => {
    const pack = open.get(kind);
    if (!pack) return;
    open.delete(kind);
    while (uploads.size >= UPLOADS) await Promise.race(uploads);
    throwFailure(failed);
    const job: Promise<void> = upload(pack)
      .catch((error: unknown) => fail(failed, error))
      .finally(() => uploads.delete(job));
    uploads.add(job);
  };
  return {
    append: async (id, content, packed, kind) => {
      const pack = open.get(kind) ?? openPack(sealing);
      open.set(kind, pack);
      const sealed = sealChunk(pack.key, pack.chunks.length, packed ?? content, id);
      const storedBytes = sealed[0].length + sealed[1].length;
      pack.parts.push(...sealed);
      pack.sizeBytes += storedBytes;
      pack.chunks.push({ id, isCompressed: packed !== undefined, storedBytes, sizeBytes: content.length });
      if (pack.sizeBytes >= repository.packBytes) await close(kind);
    },
    end: async () => {
      await close('content');
      await close('entries');
      await Promise.all(uploads);
      throwFailure(failed);
      const lists = unlisted;
      unlisted = [];
      return lists;
    },
  };
}

function openPack({ secrets, randomBytes }: Sealing): OpenPack {
  const salt = randomBytes(PACK_SALT_BYTES);
  const head = packHead(salt);
  return { packId: newId(randomBytes), salt, key: secrets.keyFor('pack', salt), chunks: [], parts: [head], sizeBytes: head.length };
}
