import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { dropPacked, isLost, type PackedBytes, packBytes, unpackBytes } from '#alerts/packed-bytes.ts';
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
  const opened = await openBatch(deps, batch);
  if (!opened) return;
  const { planned, isWhole } = opened;
  const steps = chunk(planned, PER_STEP);
  let current: DeliveryBatch | undefined = batch;
  let isKept = isWhole; // by whoever does its one step, perhaps; what nobody keeps is an orphan for the sweep
  for (let conflicts = 0; current && conflicts < MAX_CONFLICTS; ) {
    const step: readonly PlannedDelivery[] = steps[current.steps] ?? [];
    const done = await takeStep(deps, current, step, { isLast: current.steps >= steps.length - 1, isWhole });
    if (!done) conflicts++;
    else isKept = done.isKept;
    current = await readBatch(deps.table, batch.key);
  }
  if (current) throw new OpsError('unavailable', `others are at ${batch.key.sk}`);
  if (!isKept) await dropPacked(deps, batch.packed);
}

interface OpenBatch {
  /** One of each lane. */
  readonly planned: readonly PlannedDelivery[];
  /** The bytes of the batch are those of its one delivery. */
  readonly isWhole: boolean;
}

/** What the batch plans; undefined where somebody else has taken it apart, or nobody can. */
async function openBatch(deps: TakeApartDeps, batch: DeliveryBatch): Promise<OpenBatch | undefined> {
  try {
    const bytes = await unpackBytes(deps, batch.packed);
    const planned = bytes ? decodePlanned(bytes) : [];
    const byLane = new Map(planned.map((one) => [nameDelivery(batch.tenant, batch.version, one).lane, one]));
    return { planned: [...byLane.values()], isWhole: planned.length === 1 };
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

/** Undefined where somebody else did the step. `isKept`: the bytes of the batch are those of its one delivery now. */
async function takeStep(
  deps: TakeApartDeps,
  batch: DeliveryBatch,
  step: readonly PlannedDelivery[],
  { isLast, isWhole }: { readonly isLast: boolean; readonly isWhole: boolean },
): Promise<{ readonly isKept: boolean } | undefined> {
  const writes: Write[] = [stepWrite(batch, isLast)];
  const replaced: Delivery[] = [];
  let isKept = false;
  for (const planned of step) {
    const names = nameDelivery(batch.tenant, batch.version, planned);
    const before = await readDelivery(deps.table, batch.tenant, names.lane);
    if (before && before.version >= batch.version) continue;
    if (before) replaced.push(before);
    const told = takeOver(planned, before && (await openPlanned(deps, before)));
    const isSame = isWhole && told === planned;
    isKept ||= isSame;
    const packed = isSame ? batch.packed : await packBytes(deps, `alerts/${batch.tenant}/deliveries`, encodePlanned([told]));
    writes.push(...replaceWrites(before, newDelivery(deps, batch, names, told, packed)));
  }
  try {
    await retry(() => deps.table.transact(writes));
  } catch (error) {
    if (isOpsError(error, 'conflict')) return undefined;
    throw error;
  }
  for (const { packed } of replaced) await dropPacked(deps, packed);
  return { isKept };
}

function newDelivery(
  deps: TakeApartDeps,
  { tenant, version }: DeliveryBatch,
  names: { readonly lane: string; readonly id: string },
  { receiver, integration, atMs }: PlannedDelivery,
  packed: PackedBytes,
): Delivery {
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
