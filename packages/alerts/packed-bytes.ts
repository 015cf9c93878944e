import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Item } from '#ports/table.ts';

/** Bytes that an item points to: in it while they are few, else in an immutable object of their own. */
export interface PackedBytes {
  readonly body?: Uint8Array | undefined;
  readonly key?: string | undefined;
}

/** An item that is rewritten often is billed by its size each time. */
const INLINE_BYTES = 2_048;
/** Most bytes that are unpacked: the longest text that V8 takes. */
const MAX_BYTES = 512 * 1024 * 1024;
const DAMAGE = 'If this stays so, what it held is lost.';
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** Stores bytes under a fresh key below `prefix`, unless they fit into the item. */
export async function packBytes(deps: { blobs: Blobs; newId: () => string }, prefix: string, bytes: Uint8Array): Promise<PackedBytes> {
  if (bytes.length <= INLINE_BYTES) return { body: bytes };
  const key = `${prefix}/${deps.newId()}`;
  await retry(() => deps.blobs.put(key, bytes));
  return { key };
}

/** What an item points to; `unavailable` where its object is gone: replaced meanwhile, if the item is another one by now, else lost. */
export async function unpackBytes(deps: { blobs: Blobs }, { body, key }: PackedBytes): Promise<Uint8Array | undefined> {
  if (key === undefined) return body;
  try {
    return await retry(() => deps.blobs.get(key));
  } catch (cause) {
    if (!isOpsError(cause, 'missing')) throw cause;
    throw new OpsError('unavailable', `${key} was replaced while it was read, or is lost`, { cause, hint: DAMAGE });
  }
}

/** The pointer in an item. */
export function packedIn(item: Item): PackedBytes {
  return { body: item.body as Uint8Array | undefined, key: item.key as string | undefined };
}

/** Deletes the object that a committed change replaced; one that a crash leaves is an orphan for the sweep. */
export async function dropPacked(deps: { blobs: Blobs }, before: PackedBytes | undefined, after?: PackedBytes): Promise<void> {
  const key = before?.key;
  if (key !== undefined && key !== after?.key) await retry(() => deps.blobs.delete([key]));
}

/** Zstd of JSON, with a checksum. */
export function packJson(value: unknown): Uint8Array {
  return zstdCompressSync(JSON.stringify(value), { params: PARAMS });
}

/** What `packJson` packed, as `read` understands it; `unavailable`, naming `what`, for any other bytes. */
export function unpackJson<T, R>(bytes: Uint8Array, what: string, read: (value: T) => R): R {
  try {
    return read(JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8')));
  } catch (cause) {
    if (isOpsError(cause)) throw cause;
    throw new OpsError('unavailable', `${what} is damaged`, { cause, hint: DAMAGE });
  }
}

/** True where an object is gone or its bytes are such as nobody wrote; false where a store does not answer just now. */
export function isLost(error: unknown): boolean {
  return isOpsError(error, 'unavailable') && error.hint === DAMAGE;
}

/** JSON has no Infinity: an alert's end that never comes is null in it. */
export function withEnd<A extends { readonly endsAtMs: number }>(alert: A): A {
  return alert.endsAtMs === null ? { ...alert, endsAtMs: Number.POSITIVE_INFINITY } : alert;
}
