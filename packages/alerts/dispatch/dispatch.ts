import { batchWrite } from '#alerts/deliver/delivery-batch.ts';
import { INCIDENT_LABEL } from '#alerts/incidents/incident-alert.ts';
import { dropPacked, packBytes, unpackBytes } from '#alerts/packed-bytes.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { chunk } from '#core/batch.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';
import { withLease } from '#ports/lease.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table } from '#ports/table.ts';
import { alertsChanged, findChanges } from './alert-changes.ts';
import { type AlertBook, decodeBook, EMPTY_BOOK, encodeBook } from './book.ts';
import { type BookPointer, commitBook, readBookPointer } from './book-pointer.ts';
import { clearInbox, INBOX_PASS, type InboxEntry, listInbox, openEntry } from './inbox.ts';
import { planDispatch } from './plan-dispatch.ts';
import type { Routing } from './routing.ts';
import { readSilences } from './silence-store.ts';

export interface DispatchDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  readonly routing: (tenant: string) => Promise<Routing>;
  /** How long the call may still take, where that is bounded. */
  readonly remainingMs?: (() => number) | undefined;
  /** Open incidents by the fingerprints of their alerts; asked for where inhibition goes by them. */
  readonly memberships: (tenant: string) => Promise<ReadonlyMap<string, string>>;
}

/** One look at one tenant's alerts. */
export interface DispatchReport {
  readonly tenant: string;
  /** Inbox entries taken in. */
  readonly taken: number;
  readonly alerts: number;
  readonly groups: number;
  /** Notifications handed to the deliverer. */
  readonly deliveries: number;
  /** Alerts that began or ended. */
  readonly changes: number;
  /** Somebody else was first; the next run looks again. */
  readonly conflict?: boolean | undefined;
}

const LEASE_MS = MINUTE_MS;
/** Most alerts of one pass, so that a backlog fits into memory. */
const ALERTS_PER_PASS = 200_000;
const OPENED_AT_ONCE = 16;
const RESERVE_MS = 30_000;

/**
 * Takes each tenant's new alerts into its book and decides who is told what. The book, and what is to be delivered, are one
 * transaction, and so is the event that tells what changed; the inbox is cleared after it. The book knows what it has taken, so that an
 * entry which a crash leaves is not taken again.
 */
export async function dispatchAlerts(deps: DispatchDeps, tenants: readonly string[]): Promise<DispatchReport[]> {
  const reports: DispatchReport[] = [];
  await forEachSettled(tenants, async (tenant) => {
    if (!(await isAnythingDue(deps, tenant))) return;
    await withLease(deps, `alerts-dispatch/${tenant}`, LEASE_MS, async () => {
      for (let isMore = true; isMore; ) {
        const { report, isFull } = await dispatchTenant(deps, tenant);
        reports.push(report);
        isMore = isFull && (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) >= RESERVE_MS;
      }
    });
  });
  return reports;
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. A clock that went back made times too late. */
async function isAnythingDue(deps: DispatchDeps, tenant: string): Promise<boolean> {
  const pointer = await readBookPointer(deps.table, tenant);
  if (pointer?.nextMs !== undefined) {
    const nowMs = deps.now();
    if (pointer.nextMs <= nowMs || pointer.committedAtMs > nowMs + MINUTE_MS) return true;
    if (pointer.configId !== (await deps.routing(tenant)).configId) return true;
  }
  return (await listInbox(deps.table, tenant, 1)).length > 0;
}

/** `isFull`: there is more in the inbox than one pass takes. */
async function dispatchTenant(deps: DispatchDeps, tenant: string): Promise<{ report: DispatchReport; isFull: boolean }> {
  const { table, now } = deps;
  const before = await readBookPointer(table, tenant);
  const book = await openBook(deps, before);
  const listed = await listInbox(table, tenant);
  const isTaken = new Set(book.taken);
  const fresh = listed.filter(({ sk }) => !isTaken.has(sk));
  const { told, opened } = await openEntries(deps, tenant, fresh);
  const entries = [...listed.filter(({ sk }) => isTaken.has(sk)), ...fresh.slice(0, opened)];
  const routing = await deps.routing(tenant);
  const nowMs = now();
  const silences = [...(await readSilences(table, tenant, nowMs)).values()];
  const incidents = asksForIncidents(routing) ? await deps.memberships(tenant) : undefined;
  const plan = planDispatch({ book, told, routing, silences, incidents, nowMs });
  const version = (before?.version ?? 0) + 1;
  const packed = await packBytes(deps, `alerts/${tenant}/book`, encodeBook({ ...plan.book, taken: entries.map(({ sk }) => sk) }));
  const changes = findChanges(book, plan.book, told, nowMs);
  const alongside = [
    ...(plan.deliveries.length > 0 ? [await batchWrite(deps, tenant, version, plan.deliveries)] : []),
    ...(changes.length > 0 ? [outboxWrite(alertsChanged(deps.newId(), tenant, changes, nowMs))] : []),
  ];
  const after = { tenant, nextMs: plan.nextMs, configId: routing.configId, committedAtMs: nowMs, alerts: plan.book.alerts.size, packed };
  const counts = { alerts: plan.book.alerts.size, groups: plan.book.groups.length };
  if (!(await commitBook(table, before, after, deps.newId(), alongside))) {
    return { report: { tenant, taken: 0, ...counts, deliveries: 0, changes: 0, conflict: true }, isFull: false };
  }
  await clearInbox(deps, tenant, entries);
  await dropPacked(deps, before?.packed, packed);
  const report = { tenant, taken: opened, ...counts, deliveries: plan.deliveries.length, changes: changes.length };
  return { report, isFull: opened < fresh.length || listed.length === INBOX_PASS };
}

/** What entries tell, of as many as fit into memory; one that nobody can read any more is a dead letter. */
async function openEntries(deps: DispatchDeps, tenant: string, entries: readonly InboxEntry[]) {
  const told: ReceivedAlert[] = [];
  let opened = 0;
  for (const some of chunk(entries, OPENED_AT_ONCE)) {
    if (told.length >= ALERTS_PER_PASS) break;
    const lists = await Promise.all(some.map((entry) => openEntry(deps, entry)));
    for (const list of lists) for (const alert of list ?? []) told.push(alert);
    await keepLost(
      deps,
      tenant,
      some.filter((_, i) => lists[i] === undefined),
    );
    opened += some.length;
  }
  return { told, opened };
}

async function keepLost({ table, now }: DispatchDeps, tenant: string, lost: readonly InboxEntry[]): Promise<void> {
  if (lost.length === 0) return;
  const error = `what was told of alerts of ${tenant} cannot be read any more`;
  const letters = lost.map(({ sk }) => ({
    id: sk,
    atMs: now(),
    from: 'alerts-dispatch',
    error,
    event: JSON.stringify({ tenant, entry: sk }),
  }));
  await keepDeadLetters(table, letters);
}

/** True where an inhibition looks at the label that only incidents give. */
function asksForIncidents({ inhibitRules }: Routing): boolean {
  return inhibitRules.some(
    ({ equal, targetMatchers }) => equal.includes(INCIDENT_LABEL) || targetMatchers.some(({ name }) => name === INCIDENT_LABEL),
  );
}

/** The book that a pointer points to. */
export async function openBook(deps: { blobs: Blobs }, pointer: BookPointer | undefined): Promise<AlertBook> {
  const bytes = pointer && (await unpackBytes(deps, pointer.packed));
  return bytes ? decodeBook(bytes) : EMPTY_BOOK;
}
