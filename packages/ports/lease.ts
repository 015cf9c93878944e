import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from './table.ts';

export interface LeaseDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

/**
 * Runs the job unless another process holds the lease of that name; undefined if one does. It only saves double work: a holder
 * that outlives its lease does no harm, since every commit is conditional.
 */
export async function withLease<T>(deps: LeaseDeps, name: string, leaseMs: number, job: () => Promise<T>): Promise<T | undefined> {
  const owner = deps.newId();
  if (!(await acquire(deps, name, owner, leaseMs))) return undefined;
  try {
    return await job();
  } finally {
    await release(deps, name, owner);
  }
}

/** Ends all leases: for the one process that runs the schedules, at its start, since one that was killed left its own behind. */
export async function endLeases(table: Table): Promise<void> {
  const { items } = await retry(() => table.query({ pk: 'lease' }));
  await retry(() => table.batch(items.map(({ pk, sk }) => ({ kind: 'delete', key: { pk, sk } }))));
}

async function acquire(deps: LeaseDeps, name: string, owner: string, leaseMs: number): Promise<boolean> {
  const nowMs = deps.now();
  const item = { pk: 'lease', sk: name, owner, untilMs: nowMs + leaseMs };
  if (await holds(retry(() => deps.table.put(item, { exists: false })))) return true;
  if (await holds(retry(() => deps.table.put(item, { atMost: { untilMs: nowMs } })))) return true;
  const held = await retry(() => deps.table.get({ pk: 'lease', sk: name }));
  if (held?.owner === owner) return true; // by a put of ours whose answer got lost
  // One that ends later than any taken now was taken by a clock that has gone back since.
  if (Number(held?.untilMs) <= nowMs + 2 * leaseMs) return false;
  return holds(retry(() => deps.table.put(item, { equals: { owner: String(held?.owner) } })));
}

async function release(deps: LeaseDeps, name: string, owner: string): Promise<void> {
  await holds(retry(() => deps.table.delete({ pk: 'lease', sk: name }, { equals: { owner } })));
}

async function holds(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isOpsError(error, 'conflict')) return false;
    throw error;
  }
}
