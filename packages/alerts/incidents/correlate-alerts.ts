import { readBookPointer } from '#alerts/dispatch/book-pointer.ts';
import { openBook } from '#alerts/dispatch/dispatch.ts';
import { inboxWrite, listInbox, listWholeInbox, openEntry } from '#alerts/dispatch/inbox.ts';
import { takeAlerts } from '#alerts/dispatch/take-alerts.ts';
import { dropPacked, packBytes } from '#alerts/packed-bytes.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Alert } from '#model/alert.ts';
import type { Blobs } from '#ports/blobs.ts';
import { withLease } from '#ports/lease.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import { type Correlated, correlate } from './correlate.ts';
import type { Incident, IncidentChange, IncidentState } from './incident.ts';
import { toIncidentAlert } from './incident-alert.ts';
import { type ClosedIncident, encodeIncidents, type IncidentBook, type Pending } from './incident-codec.ts';
import { toEvent } from './incident-events.ts';
import { closedWrite, commitIncidents, type IncidentPointer, openIncidents, readIncidentPointer } from './incident-store.ts';
import type { IncidentSettings } from './settings.ts';

export interface CorrelateDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  readonly settings: (tenant: string) => Promise<IncidentSettings>;
  /** Where an incident is shown. */
  readonly incidentUrl: (id: string) => string;
}

/** One look at one tenant's alerts. */
export interface CorrelateReport {
  readonly tenant: string;
  readonly opened: number;
  readonly merged: number;
  readonly resolved: number;
  /** Incidents that are open now. */
  readonly open: number;
  /** Somebody else was first; the next run looks again. */
  readonly conflict?: boolean | undefined;
}

const LEASE_MS = 5 * MINUTE_MS;
/** Events and closed incidents of one transaction, which takes 100 writes. */
const MAX_WRITES = 80;
/** Alerts that are kept of an incident that is over. */
const MAX_KEPT = 200;

/**
 * Takes each tenant's alerts, those in its book and those on their way there, into incidents. What incidents there are, what is told of them, and
 * the alerts that they are themselves are one transaction, on condition that nobody else was first. It reads what is, and not what has
 * changed: a run that fails, or is left out, loses nothing.
 */
export async function correlateAlerts(deps: CorrelateDeps, tenants: readonly string[]): Promise<CorrelateReport[]> {
  const reports: CorrelateReport[] = [];
  await forEachSettled(tenants, async (tenant) => {
    if (!(await isAnythingDue(deps, tenant))) return;
    const report = await withLease(deps, `alerts-correlate/${tenant}`, LEASE_MS, () => correlateTenant(deps, tenant));
    if (report) reports.push(report);
  });
  return reports;
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. */
async function isAnythingDue({ table, now }: CorrelateDeps, tenant: string): Promise<boolean> {
  const pointer = await readIncidentPointer(table, tenant);
  if (pointer?.nextMs !== undefined && pointer.nextMs <= now()) return true;
  const book = await readBookPointer(table, tenant);
  return (book?.version ?? 0) !== (pointer?.seen ?? 0) || (await listInbox(table, tenant, 1)).length > 0;
}

async function correlateTenant(deps: CorrelateDeps, tenant: string): Promise<CorrelateReport> {
  const { table, now } = deps;
  let before = await readIncidentPointer(table, tenant);
  let book = await openIncidents(deps, before);
  const settings = await deps.settings(tenant);
  const { alerts, version } = await readAlerts(deps, tenant);
  const nowMs = now();
  const correlated = correlate({ state: book.state, alerts, settings, nowMs });
  const told = findTold(deps, settings, book.state, correlated, nowMs);
  let alongside: Write[] = told.length === 0 ? [] : [await inboxWrite(deps, tenant, told, nowMs)];
  let pending: readonly Pending[] = [...book.pending, ...findPending(tenant, book.state, correlated.changes, nowMs)];
  const count = (kind: IncidentChange['kind']) => correlated.changes.filter((change) => change.kind === kind).length;
  const open = correlated.state.clusters.filter(({ incident }) => incident !== undefined).length;
  do {
    const writes = pending.slice(0, MAX_WRITES).map((each) => pendingWrite(tenant, each, nowMs));
    pending = pending.slice(MAX_WRITES);
    const after = { state: correlated.state, pending };
    const nextMs = pending.length > 0 ? nowMs : correlated.nextMs; // whoever comes after a crash goes on at once
    const next = await commit(deps, tenant, before, book, after, { seen: version, nextMs }, [...alongside, ...writes]);
    if (!next) return { tenant, opened: 0, merged: 0, resolved: 0, open, conflict: true };
    before = next;
    book = after;
    alongside = [];
  } while (pending.length > 0);
  return { tenant, opened: count('opened'), merged: count('merged'), resolved: count('resolved'), open };
}

/** Alerts as the book will have them: with what is told already and not taken in. The inbox is read first, so that nothing is missed in between. */
async function readAlerts(deps: CorrelateDeps, tenant: string): Promise<{ alerts: ReadonlyMap<string, Alert>; version: number }> {
  const entries = await listWholeInbox(deps.table, tenant);
  const told = (await Promise.all(entries.map((entry) => openEntry(deps, entry)))).flatMap((alerts) => alerts ?? []);
  const pointer = await readBookPointer(deps.table, tenant);
  const alerts = new Map((await openBook(deps, pointer)).alerts);
  takeAlerts(alerts, told, deps.now());
  return { alerts, version: pointer?.version ?? 0 };
}

/** What the same state was packed as is not packed again. */
async function commit(
  deps: CorrelateDeps,
  tenant: string,
  before: IncidentPointer | undefined,
  book: IncidentBook,
  after: IncidentBook,
  times: Pick<IncidentPointer, 'seen' | 'nextMs'>,
  alongside: readonly Write[],
): Promise<IncidentPointer | undefined> {
  const isSame = before !== undefined && book.state === after.state && book.pending.length === 0 && after.pending.length === 0;
  const packed = isSame ? before.packed : await packBytes(deps, `alerts/${tenant}/incidents`, encodeIncidents(after));
  if (!(await commitIncidents(deps.table, before, { tenant, ...times, packed }, deps.newId(), alongside))) return undefined;
  await dropPacked(deps, before?.packed, packed);
  return { tenant, ...times, packed, version: (before?.version ?? 0) + 1 };
}

/** Incidents as alerts. What is over is told whatever is set: nobody is told of an end who does not know the beginning. */
function findTold(
  deps: CorrelateDeps,
  settings: IncidentSettings,
  before: IncidentState,
  { changes, changed }: Correlated,
  nowMs: number,
): Alert[] {
  const { alertLabels = {} } = settings;
  const toAlert = (incident: Incident) => toIncidentAlert(incident, alertLabels, nowMs, deps.incidentUrl(incident.id));
  const closed = changes.flatMap((change) =>
    change.kind === 'resolved' ? [change.incident] : change.kind === 'merged' ? [change.from] : [],
  );
  const ends = closed.map(toAlert);
  if (settings.alertLabels === undefined) return ends;
  const former = new Map(before.clusters.map(({ incident }) => [incident?.id, incident]));
  const risen = changed.flatMap(({ id, severity }): Alert[] => {
    const old = former.get(id);
    return old && old.severity !== severity ? [toAlert({ ...old, closedAtMs: nowMs })] : [];
  });
  return [...ends, ...risen, ...changed.map(toAlert)];
}

function findPending(tenant: string, before: IncidentState, changes: readonly IncidentChange[], nowMs: number): Pending[] {
  return changes.flatMap((change): Pending[] => {
    const event = { event: toEvent(tenant, change, nowMs) };
    if (change.kind === 'opened') return [event];
    return [event, { closed: closeIncident(before, change.kind === 'merged' ? change.from : change.incident, nowMs) }];
  });
}

/** The alerts that are kept: those that began first. */
function closeIncident(before: IncidentState, incident: Incident, nowMs: number): ClosedIncident {
  const cluster = before.clusters.find((each) => each.incident?.id === incident.id);
  const members = (cluster?.members ?? []).flatMap((fingerprint) => before.alerts.get(fingerprint) ?? []);
  const kept = members.sort((a, b) => a.startsAtMs - b.startsAtMs).slice(0, MAX_KEPT);
  if (incident.status === 'merged') return { incident, members: kept };
  return { incident, members: kept.map((member) => ({ ...member, endedAtMs: member.endedAtMs ?? nowMs })) };
}

function pendingWrite(tenant: string, pending: Pending, nowMs: number): Write {
  return 'event' in pending ? outboxWrite(pending.event) : closedWrite(tenant, pending.closed, nowMs);
}
