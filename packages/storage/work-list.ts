import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Table } from '#ports/table.ts';
import { queryAll } from './catalog.ts';
import { ownerOf } from './storage-deps.ts';

/**
 * Which days of which tenants may need compaction, downsampling or cleaning. It is a hint that saves looking at every window:
 * losing a mark delays work until the daily sweep marks the window again, and never touches data.
 */
export interface WorkMark {
  readonly tenant: string;
  readonly date: string;
  readonly markedAtMs: number;
}

const PARTITION = 'work/metrics';
const TENANTS = 'tenants/metrics';

/** Says that the day has something to do. */
export async function markWork(table: Table, tenant: string, date: string, nowMs: number): Promise<void> {
  await retry(() => table.put({ pk: PARTITION, sk: `${tenant}/${date}`, markedAtMs: nowMs }));
}

/** Says that there is such a tenant. */
export async function noteTenant(table: Table, tenant: string): Promise<void> {
  await retry(() => table.put({ pk: TENANTS, sk: tenant }));
}

/** All marks, or those of one tenant and its retention classes. */
export async function listWork(table: Table, onlyTenant?: string): Promise<WorkMark[]> {
  const marks = (await queryAll(table, { pk: PARTITION })).map((item) => {
    const slash = item.sk.lastIndexOf('/');
    return { tenant: item.sk.slice(0, slash), date: item.sk.slice(slash + 1), markedAtMs: Number(item.markedAtMs) };
  });
  return marks.filter((mark) => isOwnedBy(onlyTenant, mark.tenant));
}

function isOwnedBy(tenant: string | undefined, namespace: string): boolean {
  return tenant === undefined || ownerOf(namespace) === tenant;
}

/** Takes the mark back, unless it was set again since. */
export async function clearWork(table: Table, mark: WorkMark): Promise<void> {
  try {
    await retry(() => table.delete({ pk: PARTITION, sk: `${mark.tenant}/${mark.date}` }, { equals: { markedAtMs: mark.markedAtMs } }));
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
  }
}

/** Every tenant (and retention class of one) that has ever written, or those of one tenant. */
export async function listTenants(table: Table, onlyTenant?: string): Promise<string[]> {
  return (await queryAll(table, { pk: TENANTS })).map((item) => item.sk).filter((namespace) => isOwnedBy(onlyTenant, namespace));
}
