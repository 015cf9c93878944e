import { batchWrite } from '#alerts/deliver/delivery.ts';
import { INCIDENT_LABEL } from '#alerts/incidents/incident-alert.ts';
import { dropPacked, packBytes, unpackBytes } from '#alerts/packed-bytes.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import { withLease } from '#ports/lease.ts';
import type { Table } from '#ports/table.ts';
import { type AlertBook, decodeBook, EMPTY_BOOK, encodeBook } from './book.ts';
import { type BookPointer, commitBook, readBookPointer } from './book-pointer.ts';
import { clearInbox, listInbox, openEntry } from './inbox.ts';
import { planDispatch } from './plan-dispatch.ts';
import type { Routing } from './routing.ts';
import { readSilences } from './silence-store.ts';

export interface DispatchDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  readonly routing: (tenant: string) => Promise<Routing>;
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
  /** Somebody else was first; the next run looks again. */
  readonly conflict?: boolean | undefined;
}

const LEASE_MS = 5 * MINUTE_MS;

/**
 * Takes each tenant's new alerts into its book and decides who is told what. The book, and what is to be delivered, are one
 * transaction; the inbox is cleared after it, so that a crash between takes the same alerts in again, which changes nothing.
 */
export async function dispatchAlerts(deps: DispatchDeps, tenants: readonly string[]): Promise<DispatchReport[]> {
  const reports: DispatchReport[] = [];
  await forEachSettled(tenants, async (tenant) => {
    if (!(await isAnythingDue(deps, tenant))) return;
    const report = await withLease(deps, `alerts-dispatch/${tenant}`, LEASE_MS, () => dispatchTenant(deps, tenant));
    if (report) reports.push(report);
  });
  return reports;
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. */
async function isAnythingDue(deps: DispatchDeps, tenant: string): Promise<boolean> {
  const pointer = await readBookPointer(deps.table, tenant);
  if (pointer?.nextMs !== undefined && pointer.nextMs <= deps.now()) return true;
  if (pointer?.nextMs !== undefined && pointer.configId !== (await deps.routing(tenant)).configId) return true;
  return (await listInbox(deps.table, tenant, 1)).length > 0;
}

async function dispatchTenant(deps: DispatchDeps, tenant: string): Promise<DispatchReport> {
  const { table, now } = deps;
  const before = await readBookPointer(table, tenant);
  const entries = await listInbox(table, tenant);
  const routing = await deps.routing(tenant);
  const nowMs = now();
  const book = await openBook(deps, before);
  const told = (await Promise.all(entries.map((entry) => openEntry(deps, entry)))).flat();
  const silences = [...(await readSilences(table, tenant, nowMs)).values()];
  const incidents = asksForIncidents(routing) ? await deps.memberships(tenant) : undefined;
  const plan = planDispatch({ book, told, routing, silences, incidents, nowMs });
  const version = (before?.version ?? 0) + 1;
  const packed = await packBytes(deps, `alerts/${tenant}/book`, encodeBook(plan.book));
  const alongside = plan.deliveries.length > 0 ? [await batchWrite(deps, tenant, version, plan.deliveries)] : [];
  const after = { tenant, nextMs: plan.nextMs, configId: routing.configId, packed };
  const counts = { alerts: plan.book.alerts.size, groups: plan.book.groups.length, deliveries: plan.deliveries.length };
  if (!(await commitBook(table, before, after, deps.newId(), alongside))) {
    return { tenant, taken: 0, ...counts, deliveries: 0, conflict: true };
  }
  await clearInbox(deps, tenant, entries);
  await dropPacked(deps, before?.packed, packed);
  return { tenant, taken: entries.length, ...counts };
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
