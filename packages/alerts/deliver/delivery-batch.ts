import type { PlannedDelivery, ToldAlert } from '#alerts/dispatch/plan-dispatch.ts';
import { type PackedBytes, packBytes, packedIn, packJson, unpackJson, withEnd } from '#alerts/packed-bytes.ts';
import { retry } from '#core/retry.ts';
import type { Blobs } from '#ports/blobs.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Item, ItemKey, Table, Write } from '#ports/table.ts';

/** What one dispatch decided, on its way to be taken apart into deliveries. */
export interface DeliveryBatch {
  readonly key: ItemKey;
  readonly tenant: string;
  readonly version: number;
  /** How many of its deliveries are taken out already, counted in steps: each step finds the number before it. */
  readonly steps: number;
  readonly packed: PackedBytes;
}

const PARTITION = 'alerts/batches';
const PER_PASS = 100;

/** The write that hands what one dispatch decided to the deliverer, all in one; it belongs in the transaction of the book. */
export async function batchWrite(
  deps: { blobs: Blobs; newId: () => string },
  tenant: string,
  version: number,
  planned: readonly PlannedDelivery[],
): Promise<Write> {
  const { body, key } = await packBytes(deps, `alerts/${tenant}/batches`, encodePlanned(planned));
  const sk = `${tenant}#${String(version).padStart(12, '0')}`;
  return { kind: 'put', item: { pk: PARTITION, sk, tenant, version, steps: 0, body, key } };
}

/** The oldest batches, of each tenant in the order of their versions. */
export async function listBatches(table: Table, onlyTenant: string | undefined): Promise<DeliveryBatch[]> {
  const wanted = ({ tenant }: Item) => onlyTenant === undefined || tenant === onlyTenant;
  return (await queryItems(table, { pk: PARTITION }, { limit: PER_PASS, wanted })).map(toBatch);
}

/** A batch as it is now; undefined once it is taken apart. */
export async function readBatch(table: Table, key: ItemKey): Promise<DeliveryBatch | undefined> {
  const item = await retry(() => table.get(key));
  return item && toBatch(item);
}

function toBatch(item: Item): DeliveryBatch {
  const { pk, sk, tenant, version, steps } = item;
  return { key: { pk, sk }, tenant: String(tenant), version: Number(version), steps: Number(steps), packed: packedIn(item) };
}

/** The write that a step is committed by; it fails where somebody else has done the step. */
export function stepWrite({ key, steps }: DeliveryBatch, isLast: boolean): Write {
  const condition = { equals: { steps } };
  return isLast ? { kind: 'delete', key, condition } : { kind: 'update', key, changes: { set: { steps: steps + 1 } }, condition };
}

interface PackedPlanned {
  /** Integrations of one receiver are told the same alerts. */
  readonly lists: readonly (readonly ToldAlert[])[];
  readonly planned: readonly (Omit<PlannedDelivery, 'alerts'> & { readonly list: number })[];
}

/** The bytes of what is planned; alerts that several are told of are in them once. */
export function encodePlanned(planned: readonly PlannedDelivery[]): Uint8Array {
  const places = new Map<readonly ToldAlert[], number>();
  const rows = planned.map(({ alerts, ...rest }) => {
    const list = places.get(alerts) ?? places.size;
    places.set(alerts, list);
    return { ...rest, list };
  });
  return packJson({ lists: [...places.keys()], planned: rows } satisfies PackedPlanned);
}

/** What `encodePlanned` packed; an end that never comes is Infinity again. `unavailable` for any other bytes. */
export function decodePlanned(bytes: Uint8Array): PlannedDelivery[] {
  return unpackJson(bytes, 'a delivery', ({ lists, planned }: PackedPlanned) => {
    const alerts = lists.map((list) => list.map(withEnd));
    return planned.map(({ list, ...rest }) => ({ ...rest, alerts: alerts[list] as readonly ToldAlert[] }));
  });
}
