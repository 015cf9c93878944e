import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { type PackedBytes, packBytes, packedIn } from '#alerts/packed-bytes.ts';
import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';

/** One thing to be told to one integration, until it is told or given up. */
export interface Delivery {
  /** The same at every try: what receivers know a repetition by. */
  readonly id: string;
  /** Tenant, receiver, integration and group: of one lane only the latest counts, since it tells how the whole group stands. */
  readonly lane: string;
  readonly tenant: string;
  /** Version of the book that decided it. */
  readonly version: number;
  readonly dueAtMs: number;
  readonly createdAtMs: number;
  /** Tries begun so far. */
  readonly attempts: number;
  readonly packed: PackedBytes;
}

const PARTITION = 'alerts/deliveries';
const MAX_BYTES = 512 * 1024 * 1024;

export interface DeliveryDeps {
  readonly blobs: Blobs;
  readonly newId: () => string;
}

/** The write that hands what one dispatch decided to the deliverer, all in one; it belongs in the transaction of the book. */
export async function batchWrite(deps: DeliveryDeps, tenant: string, version: number, planned: readonly PlannedDelivery[]): Promise<Write> {
  const { body, key } = await packBytes(deps, `alerts/${tenant}/batches`, encodePlanned(planned));
  return { kind: 'put', item: { pk: 'alerts/batches', sk: `${tenant}#${String(version).padStart(12, '0')}`, tenant, version, body, key } };
}

/** A batch that has not been taken apart yet. */
export interface DeliveryBatch {
  readonly key: ItemKey;
  readonly tenant: string;
  readonly version: number;
  readonly packed: PackedBytes;
}

/** The oldest batches. */
export async function listBatches(table: Table): Promise<DeliveryBatch[]> {
  const { items } = await retry(() => table.query({ pk: 'alerts/batches', limit: 100 }));
  return items.map((item) => ({
    key: { pk: item.pk, sk: item.sk },
    tenant: String(item.tenant),
    version: Number(item.version),
    packed: packedIn(item),
  }));
}

/** The deliveries of a batch, due at once. Taken apart twice they are the same. */
export async function splitBatch(deps: DeliveryDeps, batch: DeliveryBatch, planned: readonly PlannedDelivery[]): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const one of planned) {
    const lane = laneOf(batch.tenant, one);
    const packed = await packBytes(deps, `alerts/${batch.tenant}/deliveries`, encodePlanned([one]));
    const times = { dueAtMs: one.atMs, createdAtMs: one.atMs, attempts: 0 };
    deliveries.push({ id: hash([lane, batch.version]), lane, tenant: batch.tenant, version: batch.version, ...times, packed });
  }
  return deliveries;
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

/** Deliveries whose time has come, the longest due first. */
export async function listDue(table: Table, nowMs: number, limit: number): Promise<Delivery[]> {
  const { items } = await retry(() => table.query({ pk: PARTITION, to: dueKey(nowMs + 1, ''), limit }));
  return items.map(toDelivery);
}

/** Deliveries of some lanes that are still to be told, among the `limit` that are due next of all. */
export async function listPending(table: Table, lanes: ReadonlySet<string>, limit: number): Promise<Delivery[]> {
  const { items } = await retry(() => table.query({ pk: PARTITION, limit }));
  return items.map(toDelivery).filter(({ lane }) => lanes.has(lane));
}

/** When the next delivery is due, if there is one. */
export async function nextDueMs(table: Table): Promise<number | undefined> {
  const { items } = await retry(() => table.query({ pk: PARTITION, limit: 1 }));
  return items[0] && toDelivery(items[0]).dueAtMs;
}

function dueKey(dueAtMs: number, id: string): string {
  return `${String(dueAtMs).padStart(16, '0')}#${id}`;
}

/** Where a delivery stands in the order of what is due. */
export function deliveryKey({ dueAtMs, id }: Pick<Delivery, 'dueAtMs' | 'id'>): ItemKey {
  return { pk: PARTITION, sk: dueKey(dueAtMs, id) };
}

/** A delivery as an item. */
export function deliveryItem(delivery: Delivery): Item {
  const { packed, ...fields } = delivery;
  return { ...deliveryKey(delivery), ...fields, body: packed.body, key: packed.key };
}

function toDelivery(item: Item): Delivery {
  return {
    id: String(item.id),
    lane: String(item.lane),
    tenant: String(item.tenant),
    version: Number(item.version),
    dueAtMs: Number(item.dueAtMs),
    createdAtMs: Number(item.createdAtMs),
    attempts: Number(item.attempts),
    packed: packedIn(item),
  };
}

function encodePlanned(planned: readonly PlannedDelivery[]): Uint8Array {
  return zstdCompressSync(JSON.stringify(planned), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

/** What `batchWrite` and `splitBatch` packed; an end that never comes is Infinity again. */
export function decodePlanned(bytes: Uint8Array): PlannedDelivery[] {
  let planned: PlannedDelivery[];
  try {
    planned = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8'));
  } catch (cause) {
    throw new OpsError('unavailable', 'a delivery is damaged', { cause });
  }
  return planned.map((one) => ({
    ...one,
    alerts: one.alerts.map((alert) => (alert.endsAtMs === null ? { ...alert, endsAtMs: Number.POSITIVE_INFINITY } : alert)),
  }));
}
