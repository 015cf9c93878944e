import type { KeyObject } from 'node:crypto';
import { decrypt } from '#backups/format/aead.ts';
import { packKey } from '#backups/format/layout.ts';
import { decompress } from '#backups/format/zstd.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError, isRetryable, OpsError } from '#core/errors.ts';
import type { ChunkLocation } from './chunk-index.ts';
import { type LoadedIndex, loadIndex } from './index-objects.ts';

/** Ranges of one pack that lie closer than this are read at once: a request costs more than these bytes. */
const GAP_BYTES = 64 << 10;
const MAX_RANGE_BYTES = 8 << 20;
const READERS = 4;
const MAX_KEYS = 1_000;

/** A chunk's content, or why it cannot be had. */
export type ChunkRead = Uint8Array | OpsError;

export interface ChunkReader {
  /**
   * The content of chunks, verified by seal and id, in the order asked for; for one that is lost or damaged the error that names it. Read the
   * ids of about 16 MB at a time: all are in memory. Throws what is retryable.
   */
  read(ids: readonly Uint8Array[]): Promise<ChunkRead[]>;
}

interface Wanted {
  readonly id: Uint8Array;
  readonly location: ChunkLocation;
}

/**
 * Reads chunks by an index. A pack that has gone, or bytes that are not what they should be, are looked for once more, by an index loaded
 * anew: a pruner may have moved them, and a read may have been short.
 */
export function createChunkReader(repository: Repository, loaded?: LoadedIndex): ChunkReader {
  let index = loaded && Promise.resolve(loaded);
  let reloaded = 0;
  const keyOf = cachedKeys(repository);

  const readOnce = async (ids: readonly Uint8Array[]): Promise<Map<string, ChunkRead>> => {
    index ??= loadIndex(repository);
    const { chunks } = await index;
    const results = new Map<string, ChunkRead>();
    const wanted: Wanted[] = [];
    for (const id of new Map(ids.map((id) => [hex(id), id])).values()) {
      const location = chunks.find(id);
      if (location) wanted.push({ id, location });
      else results.set(hex(id), lost(id, 'no pack holds it'));
    }
    await mapConcurrent(planRanges(wanted), READERS, async (range) => {
      const bytes = await readRange(repository, range);
      for (const { id, location } of range) {
        results.set(
          hex(id),
          bytes instanceof OpsError ? bytes : await openChunk(repository, keyOf(location), bytes, range[0].location, { id, location }),
        );
      }
    });
    return results;
  };

  return {
    async read(ids) {
      const results = await readOnce(ids);
      const failed = ids.filter((id) => results.get(hex(id)) instanceof OpsError);
      if (failed.length > 0) {
        // Once for what a pruner moved; not for every chunk of a repository that has lost much.
        if (reloaded++ < 3) index = undefined;
        for (const [id, result] of await readOnce(failed)) results.set(id, result);
      }
      return ids.map((id) => results.get(hex(id)) as ChunkRead);
    },
  };
}

/** The content, or throws why it cannot be had. */
export async function readChunks(reader: ChunkReader, ids: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const results = await reader.read(ids);
  return results.map((result) => {
    if (result instanceof OpsError) throw result;
    return result;
  });
}

const hex = (id: Uint8Array) => Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');

function lost(id: Uint8Array, why: string, cause?: unknown): OpsError {
  return new OpsError('missing', `chunk ${hex(id)} is lost: ${why}`, {
    cause,
    hint: 'Run check, then repair; or take a new backup, which stores it again.',
  });
}

/** Groups of chunks that lie close together in one pack, each read by one request. */
function planRanges(wanted: readonly Wanted[]): Wanted[][] {
  const inOrder = [...wanted].sort(
    (a, b) =>
      (a.location.packId < b.location.packId ? -1 : a.location.packId > b.location.packId ? 1 : 0) || a.location.offset - b.location.offset,
  );
  const ranges: Wanted[][] = [];
  for (const next of inOrder) {
    const range = ranges.at(-1);
    const last = range?.at(-1)?.location;
    const isNear =
      range &&
      last?.packId === next.location.packId &&
      next.location.offset - endOf(last) <= GAP_BYTES &&
      endOf(next.location) - range[0].location.offset <= MAX_RANGE_BYTES;
    if (isNear) range.push(next);
    else ranges.push([next]);
  }
  return ranges;
}

function endOf({ offset, storedBytes }: ChunkLocation): number {
  return offset + storedBytes;
}

async function readRange(repository: Repository, range: readonly Wanted[]): Promise<Uint8Array | OpsError> {
  const [first] = range;
  const { packId, offset } = first.location;
  try {
    return await repository.blobs.get(packKey(packId), { start: offset, end: endOf(range[range.length - 1].location) });
  } catch (error) {
    if (!isOpsError(error) || isRetryable(error) || error.kind === 'denied') throw error;
    return lost(first.id, `pack ${packId} cannot be read: ${error.message}`, error);
  }
}

async function openChunk(
  repository: Repository,
  key: KeyObject,
  bytes: Uint8Array,
  first: ChunkLocation,
  { id, location }: Wanted,
): Promise<ChunkRead> {
  const start = location.offset - first.offset;
  try {
    const stored = decrypt(key, location.number, bytes.subarray(start, start + location.storedBytes), id);
    const content = location.isCompressed ? await decompress(stored, location.sizeBytes) : stored;
    if (Buffer.compare(repository.secrets.idOf(content), id) !== 0)
      return lost(id, `pack ${location.packId} holds other bytes under its name`);
    return content;
  } catch (error) {
    return lost(id, `its bytes in pack ${location.packId} are damaged: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function cachedKeys({ secrets }: Repository): (location: ChunkLocation) => KeyObject {
  const keys = new Map<string, KeyObject>();
  return ({ packId, salt }) => {
    const known = keys.get(packId);
    if (known) return known;
    if (keys.size >= MAX_KEYS) keys.clear();
    const key = secrets.keyFor('pack', salt);
    keys.set(packId, key);
    return key;
  };
}
