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

/** Stores bytes under a fresh key below `prefix`, unless they fit into the item. */
export async function packBytes(deps: { blobs: Blobs; newId: () => string }, prefix: string, bytes: Uint8Array): Promise<PackedBytes> {
  if (bytes.length <= INLINE_BYTES) return { body: bytes };
  const key = `${prefix}/${deps.newId()}`;
  await retry(() => deps.blobs.put(key, bytes));
  return { key };
}

/** What an item points to; `unavailable` where its object has been replaced meanwhile: read the item again. */
export async function unpackBytes(deps: { blobs: Blobs }, { body, key }: PackedBytes): Promise<Uint8Array | undefined> {
  if (key === undefined) return body;
  try {
    return await retry(() => deps.blobs.get(key));
  } catch (cause) {
    if (!isOpsError(cause, 'missing')) throw cause;
    throw new OpsError('unavailable', `${key} was replaced while it was read`, { cause });
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
