import { isLost, type PackedBytes, packBytes, packedIn, packJson, unpackBytes, unpackJson, withEnd } from '#alerts/packed-bytes.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table, Write } from '#ports/table.ts';

/** Alerts as one sender told them, on their way into the book. */
export interface InboxEntry {
  readonly sk: string;
  readonly packed: PackedBytes;
}

export interface InboxDeps {
  readonly blobs: Blobs;
  readonly newId: () => string;
}

/** Entries of one pass. */
export const INBOX_PASS = 500;

function partition(tenant: string): string {
  return `alerts/inbox/${tenant}`;
}

/**
 * The write that tells of alerts; it belongs in the transaction of what made them. Entries are taken in the order of their times, and of one
 * time by `sequence`.
 */
export async function inboxWrite(
  deps: InboxDeps,
  tenant: string,
  alerts: readonly ReceivedAlert[],
  atMs: number,
  sequence = 0,
): Promise<Write> {
  const { body, key } = await packBytes(deps, `alerts/${tenant}/inbox`, encodeAlerts(alerts));
  const sk = `${digits(atMs, 16)}#${digits(sequence, 12)}#${deps.newId()}`;
  return { kind: 'put', item: { pk: partition(tenant), sk, body, key } };
}

function digits(value: number, width: number): string {
  return String(Math.max(0, Math.floor(value))).padStart(width, '0');
}

/** The oldest entries, at most some hundreds. */
export async function listInbox(table: Table, tenant: string, limit = INBOX_PASS): Promise<InboxEntry[]> {
  const items = await queryItems(table, { pk: partition(tenant) }, { limit });
  return items.map((item) => ({ sk: item.sk, packed: packedIn(item) }));
}

/** Every entry, the oldest first; for those who look, since taking in goes by a bounded number. */
export async function listWholeInbox(table: Table, tenant: string): Promise<InboxEntry[]> {
  const entries: InboxEntry[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: partition(tenant), after }));
    entries.push(...page.items.map((item) => ({ sk: item.sk, packed: packedIn(item) })));
    if (page.next === undefined) return entries;
    after = page.next;
  }
}

/** What an entry tells; undefined where nobody can read it any more. */
export async function openEntry(deps: { blobs: Blobs }, entry: InboxEntry): Promise<readonly ReceivedAlert[] | undefined> {
  try {
    const bytes = await unpackBytes(deps, entry.packed);
    return bytes ? decodeAlerts(bytes) : [];
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** Takes entries out, once the book has them: a crash before leaves them to be taken out again, which the book knows. */
export async function clearInbox(deps: { table: Table; blobs: Blobs }, tenant: string, entries: readonly InboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const pk = partition(tenant);
  await retry(() => deps.table.batch(entries.map(({ sk }) => ({ kind: 'delete', key: { pk, sk } }))));
  const keys = entries.flatMap(({ packed }) => packed.key ?? []);
  if (keys.length > 0) await retry(() => deps.blobs.delete(keys));
}

/** The bytes of alerts; times that never come are null in them. */
export function encodeAlerts(alerts: readonly ReceivedAlert[]): Uint8Array {
  return packJson(alerts);
}

/** What `encodeAlerts` packed; `unavailable` for anything else. */
export function decodeAlerts(bytes: Uint8Array): ReceivedAlert[] {
  return unpackJson(bytes, 'what was told of alerts', (alerts: readonly ReceivedAlert[]) => alerts.map(withEnd));
}
