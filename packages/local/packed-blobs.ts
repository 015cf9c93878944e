import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { assertBlobKey, assertByteRange, assertRangeWithin, listLimit } from '#ports/blob-keys.ts';
import type { BlobEntry, Blobs } from '#ports/blobs.ts';
import type { PackStore } from './pack-store.ts';

export interface PackedBlobsDeps {
  readonly files: Blobs;
  readonly packs: PackStore;
  /** Keys of objects that are many, small and short-lived; others are files, so that other programs can read them. */
  readonly isPacked: (key: string) => boolean;
}

/** Keeps small objects in packs instead of files: creating a file costs several times what appending does. */
export function createPackedBlobs({ files, packs, isPacked }: PackedBlobsDeps): Blobs {
  return {
    async get(key, range) {
      assertBlobKey(key);
      if (!isPacked(key)) return files.get(key, range);
      if (range) assertByteRange(range);
      const object = packs.find(key);
      if (!object) throw new OpsError('missing', `there is no object ${key}`);
      if (range) assertRangeWithin(key, range, object.sizeBytes);
      return packs.read(object, range?.start ?? 0, Math.min(range?.end ?? object.sizeBytes, object.sizeBytes));
    },
    async put(key, body, options) {
      assertBlobKey(key);
      if (!isPacked(key)) return files.put(key, body, options);
      return (await packs.put(key, body)) ? 'created' : 'exists';
    },
    async list(prefix, page) {
      const limit = listLimit(page?.limit);
      const found = await files.list(prefix, page);
      const after = page?.after;
      const packed: BlobEntry[] = [];
      for (const { key, sizeBytes, modifiedAtMs } of packs.list()) {
        if (key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0)) packed.push({ key, sizeBytes, modifiedAtMs });
      }
      const all = [...packed, ...found.entries].sort((a, b) => compareUtf8(a.key, b.key));
      const entries = all.slice(0, limit);
      return all.length === entries.length && found.next === undefined ? { entries } : { entries, next: entries.at(-1)?.key };
    },
    async delete(keys) {
      for (const key of keys) assertBlobKey(key);
      await packs.delete(keys.filter(isPacked));
      await files.delete(keys.filter((key) => !isPacked(key)));
    },
  };
}
