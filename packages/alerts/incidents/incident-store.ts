import { type PackedBytes, packedIn, unpackBytes } from '#alerts/packed-bytes.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Item, Table, Write } from '#ports/table.ts';
import { NO_INCIDENTS } from './correlate.ts';
import { type ClosedIncident, decodeClosed, decodeIncidents, encodeClosed, type IncidentBook } from './incident-codec.ts';

/** Where a tenant's incidents are: the one item that every correlation is committed by. */
export interface IncidentPointer {
  readonly tenant: string;
  readonly version: number;
  /** Version of the alert book that was looked at last. */
  readonly seen: number;
  /** When something may change by itself. */
  readonly nextMs: number | undefined;
  readonly packed: PackedBytes;
}

export interface IncidentReadDeps {
  readonly table: Table;
  readonly blobs: Blobs;
}

const PARTITION = 'alerts/incidents';
/** How long an incident that is over is kept. */
const KEPT_MS = 90 * DAY_MS;
const ATTEMPTS = 4;

/** Undefined where a tenant never had an alert. */
export async function readIncidentPointer(table: Table, tenant: string): Promise<IncidentPointer | undefined> {
  const item = await retry(() => table.get({ pk: PARTITION, sk: tenant }));
  if (!item) return undefined;
  const { version, seen, nextMs } = item;
  return { tenant, version: Number(version), seen: Number(seen), nextMs: nextMs as number | undefined, packed: packedIn(item) };
}

/** What a pointer points to. */
export async function openIncidents(deps: { blobs: Blobs }, pointer: IncidentPointer | undefined): Promise<IncidentBook> {
  const bytes = pointer && (await unpackBytes(deps, pointer.packed));
  return bytes ? decodeIncidents(bytes) : { state: NO_INCIDENTS, pending: [] };
}

/** A tenant's incidents as they are now, read again where they are replaced meanwhile. */
export async function readIncidents(deps: IncidentReadDeps, tenant: string): Promise<IncidentBook> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openIncidents(deps, await readIncidentPointer(deps.table, tenant));
    } catch (error) {
      if (attempt === ATTEMPTS || !isOpsError(error, 'unavailable')) throw error;
    }
  }
}

/** The open incident of each alert that is in one, by fingerprint. */
export async function readMemberships(deps: IncidentReadDeps, tenant: string): Promise<ReadonlyMap<string, string>> {
  const { state } = await readIncidents(deps, tenant);
  const memberships = new Map<string, string>();
  for (const { members, incident } of state.clusters) {
    if (incident) for (const fingerprint of members) memberships.set(fingerprint, incident.id);
  }
  return memberships;
}

/** Puts new incidents in place of those that were read, together with other writes; false where somebody else has, and nothing was done. */
export async function commitIncidents(
  table: Table,
  before: IncidentPointer | undefined,
  after: Omit<IncidentPointer, 'version'>,
  commitId: string,
  alongside: readonly Write[],
): Promise<boolean> {
  const key = { pk: PARTITION, sk: after.tenant };
  const { seen, nextMs, packed } = after;
  const item: Item = { ...key, version: (before?.version ?? 0) + 1, commitId, seen, nextMs, body: packed.body, key: packed.key };
  const condition = before ? { equals: { version: before.version } } : { exists: false };
  try {
    await retry(() => table.transact([{ kind: 'put', item, condition }, ...alongside]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return (await retry(() => table.get(key)))?.commitId === commitId;
  }
}

function closedPartition(tenant: string): string {
  return `${PARTITION}/${tenant}`;
}

/** The write that keeps an incident that is over, for some months. */
export function closedWrite(tenant: string, closed: ClosedIncident, nowMs: number): Write {
  const body = encodeClosed(closed);
  return {
    kind: 'put',
    item: { pk: closedPartition(tenant), sk: closed.incident.id, body, expiresAtS: Math.ceil((nowMs + KEPT_MS) / 1_000) },
  };
}

/** Incidents that are over, those that were opened last first; `after` is the id of the last one that was seen. */
export async function listClosed(
  table: Table,
  tenant: string,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ readonly incidents: readonly ClosedIncident[]; readonly next: string | undefined }> {
  const { items, next } = await retry(() => table.query({ pk: closedPartition(tenant), ...page, reverse: true }));
  return { incidents: items.map(({ body }) => decodeClosed(body as Uint8Array)), next };
}

/** An incident with its alerts, open or over; `missing` where there is none of that id. */
export async function readIncident(deps: IncidentReadDeps, tenant: string, id: string): Promise<ClosedIncident> {
  const { state } = await readIncidents(deps, tenant);
  const cluster = state.clusters.find(({ incident }) => incident?.id === id);
  if (cluster?.incident) {
    return { incident: cluster.incident, members: cluster.members.flatMap((fingerprint) => state.alerts.get(fingerprint) ?? []) };
  }
  const item = id === '' ? undefined : await retry(() => deps.table.get({ pk: closedPartition(tenant), sk: id }));
  if (!item) throw new OpsError('missing', `there is no incident ${JSON.stringify(id.slice(0, 60))}`);
  return decodeClosed(item.body as Uint8Array);
}
