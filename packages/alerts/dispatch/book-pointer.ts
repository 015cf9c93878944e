import { type PackedBytes, packedIn } from '#alerts/packed-bytes.ts';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, Table, Write } from '#ports/table.ts';

/** Where a tenant's book is: the one item that every dispatch is committed by. */
export interface BookPointer {
  readonly tenant: string;
  readonly version: number;
  /** When a group is due next. */
  readonly nextMs: number | undefined;
  readonly configId: string;
  readonly committedAtMs: number;
  /** How many alerts it holds. */
  readonly alerts: number;
  readonly packed: PackedBytes;
}

const PARTITION = 'alerts/books';

/** A tenant's book; undefined where it never had an alert. */
export async function readBookPointer(table: Table, tenant: string): Promise<BookPointer | undefined> {
  const item = await retry(() => table.get({ pk: PARTITION, sk: tenant }));
  return item && toPointer(item);
}

/** The books of all tenants. */
export async function listBookPointers(table: Table): Promise<BookPointer[]> {
  return (await queryItems(table, { pk: PARTITION })).map(toPointer);
}

function toPointer(item: Item): BookPointer {
  const { sk: tenant, version, nextMs, configId, committedAtMs, alerts = 0 } = item;
  return {
    tenant,
    version: Number(version),
    nextMs: nextMs as number | undefined,
    configId: String(configId),
    committedAtMs: Number(committedAtMs),
    alerts: Number(alerts),
    packed: packedIn(item),
  };
}

/** Puts a new book in place of the one that was read, together with other writes; false where somebody else has, and nothing was done. */
export async function commitBook(
  table: Table,
  before: BookPointer | undefined,
  after: Omit<BookPointer, 'version'>,
  commitId: string,
  alongside: readonly Write[],
): Promise<boolean> {
  const { tenant, packed, ...fields } = after;
  const key = { pk: PARTITION, sk: tenant };
  const item: Item = { ...key, version: (before?.version ?? 0) + 1, commitId, ...fields, body: packed.body, key: packed.key };
  const condition = before ? { equals: { version: before.version } } : { exists: false };
  try {
    await retry(() => table.transact([{ kind: 'put', item, condition }, ...alongside]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return (await retry(() => table.get(key)))?.commitId === commitId;
  }
}
