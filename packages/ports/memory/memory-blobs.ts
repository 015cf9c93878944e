import { OpsError } from '#core/errors.ts';
import { assertBlobKey, assertByteRange, assertRangeWithin, listLimit } from '#ports/blob-keys.ts';
import type { BlobPage, Blobs, ByteRange, StorageClass } from '#ports/blobs.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

interface StoredBlob {
  readonly body: Uint8Array;
  readonly modifiedAtMs: number;
  readonly storageClass: StorageClass;
}

/** Blobs in memory, with a look inside for tests. */
export interface MemoryBlobs extends Blobs {
  /** What is stored, by key. */
  readonly stored: ReadonlyMap<string, StoredBlob>;
}

/** Makes blobs that live in memory. */
export function createMemoryBlobs(options: MemoryOptions = {}): MemoryBlobs {
  const clock = options.clock ?? Date.now;
  const stored = new Map<string, StoredBlob>();
  return {
    stored,
    async get(key, range) {
      assertBlobKey(key);
      if (range) assertByteRange(range);
      return inTurn(options, () => readBlob(stored, key, range));
    },
    async put(key, body, putOptions = {}) {
      assertBlobKey(key);
      const copy = new Uint8Array(body);
      return inTurn(options, () => {
        if (stored.has(key)) return 'exists' as const;
        stored.set(key, { body: copy, modifiedAtMs: clock(), storageClass: putOptions.storageClass ?? 'standard' });
        return 'created' as const;
      });
    },
    async list(prefix, page = {}) {
      const limit = listLimit(page.limit);
      return inTurn(options, () => listBlobs(stored, prefix, page.after ?? '', limit));
    },
    async delete(keys) {
      keys.forEach(assertBlobKey);
      return inTurn(options, () => {
        for (const key of keys) stored.delete(key);
      });
    },
  };
}

function readBlob(stored: ReadonlyMap<string, StoredBlob>, key: string, range: ByteRange | undefined): Uint8Array {
  const blob = stored.get(key);
  if (!blob) throw new OpsError('missing', `there is no object ${key}`);
  if (range) assertRangeWithin(key, range, blob.body.length);
  return blob.body.slice(range?.start, range?.end);
}

function listBlobs(stored: ReadonlyMap<string, StoredBlob>, prefix: string, after: string, limit: number): BlobPage {
  // Keys are ASCII: the default order is byte order.
  const keys = [...stored.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const entries = keys.slice(0, limit).map((key) => {
    const { body, modifiedAtMs } = stored.get(key) as StoredBlob;
    return { key, sizeBytes: body.length, modifiedAtMs };
  });
  return keys.length > limit ? { entries, next: keys[limit - 1] } : { entries };
}
