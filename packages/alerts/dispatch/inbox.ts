import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type PackedBytes, packBytes, packedIn, unpackBytes } from '#alerts/packed-bytes.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
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

const MAX_BYTES = 256 * 1024 * 1024;
const MAX_PER_PASS = 500;

function partition(tenant: string): string {
  return `alerts/inbox/${tenant}`;
}

/** The write that tells of alerts; it belongs in the transaction of what made them. Entries are taken in the order of their times. */
export async function inboxWrite(deps: InboxDeps, tenant: string, alerts: readonly ReceivedAlert[], atMs: number): Promise<Write> {
  const { body, key } = await packBytes(deps, `alerts/${tenant}/inbox`, encodeAlerts(alerts));
  const sk = `${String(Math.max(0, atMs)).padStart(16, '0')}#${deps.newId()}`;
  return { kind: 'put', item: { pk: partition(tenant), sk, body, key } };
}

/** The oldest entries, at most some hundreds. */
export async function listInbox(table: Table, tenant: string, limit = MAX_PER_PASS): Promise<InboxEntry[]> {
  const { items } = await retry(() => table.query({ pk: partition(tenant), limit }));
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

/** What an entry tells. */
export async function openEntry(deps: { blobs: Blobs }, entry: InboxEntry): Promise<readonly ReceivedAlert[]> {
  const bytes = await unpackBytes(deps, entry.packed);
  return bytes ? decodeAlerts(bytes) : [];
}

/** Takes entries out, once the book has them: a crash before leaves them to be taken again, which changes nothing. */
export async function clearInbox(deps: { table: Table; blobs: Blobs }, tenant: string, entries: readonly InboxEntry[]): Promise<void> {
  const pk = partition(tenant);
  await retry(() => deps.table.batch(entries.map(({ sk }) => ({ kind: 'delete', key: { pk, sk } }))));
  const keys = entries.flatMap(({ packed }) => packed.key ?? []);
  if (keys.length > 0) await retry(() => deps.blobs.delete(keys));
}

/** Alerts as zstd of JSON; times that never come are null. */
export function encodeAlerts(alerts: readonly ReceivedAlert[]): Uint8Array {
  return zstdCompressSync(JSON.stringify(alerts), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

/** What `encodeAlerts` packed; `unavailable` for anything else. */
export function decodeAlerts(bytes: Uint8Array): ReceivedAlert[] {
  try {
    const alerts = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8')) as ReceivedAlert[];
    return alerts.map((alert) => (alert.endsAtMs === null ? { ...alert, endsAtMs: Number.POSITIVE_INFINITY } : alert));
  } catch (cause) {
    throw new OpsError('unavailable', 'stored alerts are damaged', { cause });
  }
}
