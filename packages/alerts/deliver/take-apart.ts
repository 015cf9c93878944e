import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { dropPacked, isLost, packBytes, unpackBytes } from '#alerts/packed-bytes.ts';
import { chunk } from '#core/batch.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';
import type { Table, Write } from '#ports/table.ts';
import { type Delivery, nameDelivery, readDelivery, replaceWrites, takeOver } from './delivery.ts';
import { type DeliveryBatch, decodePlanned, encodePlanned, readBatch, stepWrite } from './delivery-batch.ts';

export interface TakeApartDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
}

/** Three writes each and one of the batch: a transaction has at most 100. */
const PER_STEP = 30;
/** Others may take the same batch apart, or send what it takes over, at the same time. */
const MAX_CONFLICTS = 20;

/**
 * Takes a batch apart into deliveries, due at once. Each step is one transaction with the batch itself, so that of several processes,
 * and of one that dies and one that goes on, exactly one does it: what was sent never comes back. A batch that cannot be read is a dead letter.
 */
export async function takeApart(deps: TakeApartDeps, batch: DeliveryBatch): Promise<void> {
  const planned = await openBatch(deps, batch);
  if (!planned) return;
  const steps = chunk(planned, PER_STEP);
  let current: DeliveryBatch | undefined = batch;
  for (let conflicts = 0; current && conflicts < MAX_CONFLICTS; ) {
    const step: readonly PlannedDelivery[] = steps[current.steps] ?? [];
    if (!(await takeStep(deps, current, step, current.steps >= steps.length - 1))) conflicts++;
    current = await readBatch(deps.table, batch.key);
  }
  if (current) throw new OpsError('unavailable', `others are at ${batch.key.sk}`);
  await dropPacked(deps, batch.packed);
}

/** What the batch plans, one of each lane; undefined where somebody else has taken it apart, or nobody can. */
async function openBatch(deps: TakeApartDeps, batch: DeliveryBatch): Promise<PlannedDelivery[] | undefined> {
  try {
    const bytes = await unpackBytes(deps, batch.packed);
    const planned = bytes ? decodePlanned(bytes) : [];
    return [...new Map(planned.map((one) => [nameDelivery(batch.tenant, batch.version, one).lane, one])).values()];
  } catch (error) {
    if (!isLost(error)) throw error;
    if (!(await readBatch(deps.table, batch.key))) return undefined;
    await keepDeadLetters(deps.table, [
      {
        id: batch.key.sk,
        atMs: deps.now(),
        from: 'alerts-deliver',
        error: `notifications of ${batch.tenant} cannot be read: ${error instanceof Error ? error.message : error}`,
        event: JSON.stringify(batch.key),
      },
    ]);
    await retry(() => deps.table.delete(batch.key));
    return undefined;
  }
}

async function takeStep(deps: TakeApartDeps, batch: DeliveryBatch, step: readonly PlannedDelivery[], isLast: boolean): Promise<boolean> {
  const writes: Write[] = [stepWrite(batch, isLast)];
  const replaced: Delivery[] = [];
  for (const planned of step) {
    const names = nameDelivery(batch.tenant, batch.version, planned);
    const before = await readDelivery(deps.table, batch.tenant, names.lane);
    if (before && before.version >= batch.version) continue;
    if (before) replaced.push(before);
    const told = takeOver(planned, before && (await openPlanned(deps, before)));
    writes.push(...replaceWrites(before, await newDelivery(deps, batch, names, told)));
  }
  try {
    await retry(() => deps.table.transact(writes));
  } catch (error) {
    if (isOpsError(error, 'conflict')) return false;
    throw error;
  }
  for (const { packed } of replaced) await dropPacked(deps, packed);
  return true;
}

async function newDelivery(
  deps: TakeApartDeps,
  { tenant, version }: DeliveryBatch,
  names: { readonly lane: string; readonly id: string },
  planned: PlannedDelivery,
): Promise<Delivery> {
  const { receiver, integration, atMs } = planned;
  const packed = await packBytes(deps, `alerts/${tenant}/deliveries`, encodePlanned([planned]));
  const whom = { receiver: receiver.toWellFormed(), integration };
  return { ...names, ...whom, tenant, version, dueAtMs: atMs, createdAtMs: atMs, attempts: 0, stamp: deps.newId(), packed };
}

/** What a delivery tells; undefined where that cannot be read any more. */
export async function openPlanned(deps: { blobs: Blobs }, { packed }: Delivery): Promise<PlannedDelivery | undefined> {
  try {
    const bytes = await unpackBytes(deps, packed);
    return bytes && decodePlanned(bytes)[0];
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}
