import { isOpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import { assertBlobKey, assertByteRange, assertRangeWithin, listLimit } from '#ports/blob-keys.ts';
import type { BlobEntry, Blobs, ByteRange } from '#ports/blobs.ts';
import type { Item, Table } from '#ports/table.ts';

const PARTITION = 'local/blobs';
/** Well below what an item can hold. */
const MAX_PACKED_BYTES = 256 * 1024;

export interface PackedBlobsDeps {
  readonly files: Blobs;
  readonly table: Table;
  readonly now: () => number;
  /** Keys of objects that are many, small and short-lived; others are files, so that other programs can read them. */
  readonly isPacked: (key: string) => boolean;
}

/**
 * Keeps small objects as rows of the table instead of files: creating a file costs several times what a row does. A packed key
 * that is too large for a row is a file all the same.
 */
export function createPackedBlobs({ files, table, now, isPacked }: PackedBlobsDeps): Blobs {
  const itemKey = (key: string) => ({ pk: PARTITION, sk: key });
  /** The row decides who owns a key; one without a body says that the object is a file. */
  const claim = async (key: string, row: { body?: Uint8Array; sizeBytes: number }): Promise<'created' | 'exists'> => {
    try {
      await table.put({ ...itemKey(key), ...row, modifiedAtMs: now() }, { exists: false });
      return 'created';
    } catch (error) {
      if (isOpsError(error, 'conflict')) return 'exists';
      throw error;
    }
  };
  return {
    async get(key, range) {
      assertBlobKey(key);
      if (range) assertByteRange(range);
      const row = isPacked(key) ? await table.get(itemKey(key)) : undefined;
      return row?.body instanceof Uint8Array ? cut(key, row.body, range) : files.get(key, range);
    },
    async put(key, body, options) {
      assertBlobKey(key);
      if (!isPacked(key)) return files.put(key, body, options);
      if (body.length <= MAX_PACKED_BYTES) return claim(key, { body, sizeBytes: body.length });
      const outcome = await files.put(key, body, options);
      return (await claim(key, { sizeBytes: body.length })) === 'created' ? outcome : 'exists';
    },
    async list(prefix, page) {
      const limit = listLimit(page?.limit);
      const [rows, found] = await Promise.all([listRows(table, prefix, limit, page?.after), files.list(prefix, page)]);
      const unpacked = found.entries.filter(({ key }) => !isPacked(key));
      const merged = [...rows.entries, ...unpacked].sort((a, b) => compareUtf8(a.key, b.key)).slice(0, limit);
      const isLast = merged.length === rows.entries.length + unpacked.length && rows.isLast && found.next === undefined;
      return { entries: merged, next: isLast ? undefined : merged.at(-1)?.key };
    },
    async delete(keys) {
      const packed = keys.filter(isPacked);
      await files.delete(keys);
      await table.batch(packed.map((key) => ({ kind: 'delete', key: itemKey(key) })));
    },
  };
}

function cut(key: string, body: Uint8Array, range: ByteRange | undefined): Uint8Array {
  if (!range) return body;
  assertRangeWithin(key, range, body.length);
  return body.subarray(range.start, range.end);
}

async function listRows(
  table: Table,
  prefix: string,
  limit: number,
  after: string | undefined,
): Promise<{ entries: BlobEntry[]; isLast: boolean }> {
  const entries: BlobEntry[] = [];
  const from = after !== undefined && compareUtf8(after, prefix) >= 0 ? `${after}\u0000` : prefix || '!';
  let next: string | undefined;
  do {
    const page = await table.query({ pk: PARTITION, from, limit: limit - entries.length, after: next });
    for (const item of page.items) {
      if (!item.sk.startsWith(prefix)) return { entries, isLast: true };
      entries.push(toEntry(item));
    }
    next = page.next;
  } while (next !== undefined && entries.length < limit);
  return { entries, isLast: next === undefined };
}

function toEntry(item: Item): BlobEntry {
  return { key: item.sk, sizeBytes: Number(item.sizeBytes), modifiedAtMs: Number(item.modifiedAtMs) };
}
