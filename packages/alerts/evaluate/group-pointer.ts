import { createHash } from 'node:crypto';
import { type PackedBytes, packedIn } from '#alerts/packed-bytes.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';

/** A rule group as it is evaluated: a file's path or the ruler's namespace, and what stands there. */
export interface SourcedGroup {
  readonly namespace: string;
  readonly group: RuleGroup;
}

/** How far a group has come: the one item that its evaluations are committed by. */
export interface GroupPointer {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Commits so far; the next one must find this number still there. */
  readonly version: number;
  /** The last time that was evaluated. */
  readonly evaluatedAtMs: number;
  /** Of the last entry in the inbox that it made: later ones come after it, whatever the clock does. */
  readonly toldAtMs: number;
  /** How long the last evaluation took, and what failed in it. */
  readonly durationMs: number;
  readonly error: string;
  readonly state: PackedBytes;
}

/** Names a group in its tenant's partition, whatever characters it has. */
export function groupId(namespace: string, name: string): string {
  return createHash('sha256')
    .update(JSON.stringify([namespace, name]))
    .digest('hex')
    .slice(0, 32);
}

function keyOf(tenant: string, id: string): ItemKey {
  return { pk: `alerts/groups/${tenant}`, sk: id };
}

/** Every group of a tenant that was ever evaluated, by id. */
export async function readPointers(table: Table, tenant: string): Promise<Map<string, GroupPointer>> {
  const items = await queryItems(table, { pk: `alerts/groups/${tenant}` });
  return new Map(items.map((item) => [item.sk, toPointer(item)]));
}

function toPointer(item: Item): GroupPointer {
  return {
    id: item.sk,
    namespace: String(item.namespace),
    name: String(item.name),
    version: Number(item.version),
    evaluatedAtMs: Number(item.evaluatedAtMs),
    toldAtMs: Number(item.toldAtMs),
    durationMs: Number(item.durationMs),
    error: String(item.error),
    state: packedIn(item),
  };
}

/**
 * Moves a group on, together with other writes, unless somebody else has: false then, and nothing was done. `commitId` is unique to the
 * attempt, by which it knows its own success where the answer got lost.
 */
export async function commitPointer(
  table: Table,
  tenant: string,
  before: GroupPointer | undefined,
  after: Omit<GroupPointer, 'version'>,
  commitId: string,
  alongside: readonly Write[],
): Promise<boolean> {
  const { id, state, ...rest } = after;
  const key = keyOf(tenant, id);
  const item: Item = { ...key, ...rest, version: (before?.version ?? 0) + 1, commitId, body: state.body, key: state.key };
  return conditionally(table, [{ kind: 'put', item, condition: unchanged(before) }, ...alongside], key, commitId);
}

/** Forgets a group that there is no more. */
export async function deletePointer(table: Table, tenant: string, before: GroupPointer, alongside: readonly Write[]): Promise<boolean> {
  const key = keyOf(tenant, before.id);
  return conditionally(table, [{ kind: 'delete', key, condition: unchanged(before) }, ...alongside], key, undefined);
}

function unchanged(before: GroupPointer | undefined) {
  return before ? { equals: { version: before.version } } : { exists: false };
}

async function conditionally(table: Table, writes: readonly Write[], key: ItemKey, commitId: string | undefined): Promise<boolean> {
  try {
    await retry(() => table.transact(writes));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const now = await retry(() => table.get(key));
    return commitId === undefined ? now === undefined : now?.commitId === commitId;
  }
}
