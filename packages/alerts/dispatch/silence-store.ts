import type { Silence } from '#alerts/routing/silence.ts';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';

/** How long what has expired is still shown, as in Alertmanager. */
const KEPT_MS = 5 * DAY_MS;

function partition(tenant: string): string {
  return `alerts/silences/${tenant}`;
}

/** A tenant's silences by id, those that expired lately among them. */
export async function readSilences(table: Table, tenant: string, nowMs: number): Promise<Map<string, Silence>> {
  const silences = new Map<string, Silence>();
  for (const { sk, silence } of await queryItems(table, { pk: partition(tenant) })) {
    const read = JSON.parse(String(silence)) as Silence;
    if (read.endsAtMs + KEPT_MS > nowMs) silences.set(sk, read);
  }
  return silences;
}

/** A silence as it is to be, and as it was read: undefined for a new one. */
export interface SilenceWrite {
  readonly before: Silence | undefined;
  readonly after: Silence;
}

/**
 * Writes silences together unless one of them has been changed since it was read: false then, and nothing was done. Each is gone from
 * the table some time after it has expired.
 */
export async function writeSilences(table: Table, tenant: string, writes: readonly SilenceWrite[]): Promise<boolean> {
  const puts = writes.map(({ before, after }) => ({ kind: 'put' as const, item: toItem(tenant, after), condition: unchanged(before) }));
  try {
    await retry(() => table.transact(puts));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return isWritten(table, puts);
  }
}

function toItem(tenant: string, silence: Silence) {
  const expiresAtS = Math.ceil((silence.endsAtMs + KEPT_MS) / 1_000);
  return { pk: partition(tenant), sk: silence.id, silence: JSON.stringify(silence), expiresAtS };
}

function unchanged(before: Silence | undefined) {
  return before ? { equals: { silence: JSON.stringify(before) } } : { exists: false };
}

/** A repeated call meets what its first try, whose answer got lost, has written. */
async function isWritten(table: Table, puts: readonly { readonly item: ReturnType<typeof toItem> }[]): Promise<boolean> {
  for (const { item } of puts) {
    const found = await retry(() => table.get({ pk: item.pk, sk: item.sk }));
    if (found?.silence !== item.silence) return false;
  }
  return true;
}
