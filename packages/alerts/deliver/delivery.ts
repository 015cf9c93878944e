import { createHash } from 'node:crypto';
import type { PlannedDelivery, ToldAlert } from '#alerts/dispatch/plan-dispatch.ts';
import { type PackedBytes, packedIn } from '#alerts/packed-bytes.ts';
import { retry } from '#core/retry.ts';
import { HOUR_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';

/**
 * What one integration is still to be told about one group: there is one of these at most, since a later notification takes in what the
 * earlier one still owed.
 */
export interface Delivery {
  /** Names tenant, receiver, integration and group. */
  readonly lane: string;
  /** The same at every try of the same content: what receivers know a repetition by. */
  readonly id: string;
  readonly tenant: string;
  readonly receiver: string;
  readonly integration: string;
  /** Version of the book that decided it. */
  readonly version: number;
  readonly dueAtMs: number;
  readonly createdAtMs: number;
  /** Tries begun so far. */
  readonly attempts: number;
  /** Of the write that left it as it is; every write finds the one before it by this, and itself where its answer got lost. */
  readonly stamp: string;
  readonly packed: PackedBytes;
}

/** Where a delivery stands in the order of what is due. */
export type DueDelivery = Pick<Delivery, 'tenant' | 'lane' | 'dueAtMs'>;

const PARTITION = 'alerts/deliveries';
/** Later than any try is put off: such a time was made by a clock that has gone back since. */
const FARTHEST_MS = 3 * HOUR_MS;

/** The lane of what is planned, and the id of it in one version of the book. */
export function nameDelivery(tenant: string, version: number, { receiver, integration, groupKey }: PlannedDelivery) {
  const lane = laneOf(tenant, { receiver, integration, groupKey });
  return { lane, id: hash([lane, version]) };
}

/** What all deliveries to one integration of a receiver about one group have in common. */
export function laneOf(
  tenant: string,
  { receiver, integration, groupKey }: Pick<PlannedDelivery, 'receiver' | 'integration' | 'groupKey'>,
): string {
  return hash([tenant, receiver, integration, groupKey]);
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * What a later notification of a group tells when the earlier one has not arrived: itself, and what the earlier one would have told as
 * resolved, which the group has forgotten by now. What fired in the earlier one is in the later one, unless it is held back now.
 */
export function takeOver(later: PlannedDelivery, earlier: PlannedDelivery | undefined): PlannedDelivery {
  const told = new Set(later.alerts.map(({ fingerprint }) => fingerprint));
  const owed = earlier?.alerts.filter((alert) => isOver(alert) && !told.has(alert.fingerprint)) ?? [];
  return owed.length === 0 ? later : { ...later, alerts: [...later.alerts, ...owed] };
}

/** A firing alert goes out without an end. */
function isOver({ endsAtMs }: ToldAlert): boolean {
  return Number.isFinite(endsAtMs);
}

/** Deliveries whose time has come, the longest due first. */
export async function listDue(table: Table, nowMs: number, limit: number, onlyTenant: string | undefined): Promise<readonly DueDelivery[]> {
  const wanted = ({ tenant }: Item) => onlyTenant === undefined || tenant === onlyTenant;
  const due = await queryItems(table, { pk: PARTITION, to: dueKey(nowMs + 1, '') }, { limit, wanted });
  if (due.length > 0) return due.map(toDue);
  return (await queryItems(table, { pk: PARTITION, from: dueKey(nowMs + FARTHEST_MS, '') }, { limit, wanted })).map(toDue);
}

function toDue({ sk, tenant, lane }: Item): DueDelivery {
  return { tenant: String(tenant), lane: String(lane), dueAtMs: Number(sk.split('#', 1)[0]) };
}

function dueKey(dueAtMs: number, lane: string): string {
  return `${String(Math.max(0, Math.ceil(dueAtMs))).padStart(16, '0')}#${lane}`;
}

/** The delivery of a lane; undefined where nothing is owed. */
export async function readDelivery(table: Table, tenant: string, lane: string): Promise<Delivery | undefined> {
  const item = await retry(() => table.get(laneKey({ tenant, lane })));
  return item && toDelivery(item);
}

function laneKey({ tenant, lane }: Pick<Delivery, 'tenant' | 'lane'>): ItemKey {
  return { pk: `alerts/lanes/${tenant}`, sk: lane };
}

/** The writes that put a delivery in the place of the one before it, or none there; they fail unless that one is as it was read. */
export function replaceWrites(before: Delivery | undefined, after: Delivery | undefined): Write[] {
  const condition = before ? { equals: { stamp: before.stamp } } : { exists: false };
  const writes: Write[] = [];
  const [left, taken] = [before, after].map((each) => each && { pk: PARTITION, sk: dueKey(each.dueAtMs, each.lane) });
  if (before && !after) writes.push({ kind: 'delete', key: laneKey(before), condition });
  if (after) writes.push({ kind: 'put', item: toItem(after), condition });
  if (left && left.sk !== taken?.sk) writes.push({ kind: 'delete', key: left });
  if (after && taken) writes.push({ kind: 'put', item: { ...taken, tenant: after.tenant, lane: after.lane } });
  return writes;
}

function toItem({ packed, lane, ...fields }: Delivery): Item {
  return { ...laneKey({ tenant: fields.tenant, lane }), ...fields, body: packed.body, key: packed.key };
}

function toDelivery(item: Item): Delivery {
  return {
    lane: item.sk,
    id: String(item.id),
    tenant: String(item.tenant),
    receiver: String(item.receiver),
    integration: String(item.integration),
    version: Number(item.version),
    dueAtMs: Number(item.dueAtMs),
    createdAtMs: Number(item.createdAtMs),
    attempts: Number(item.attempts),
    stamp: String(item.stamp),
    packed: packedIn(item),
  };
}
