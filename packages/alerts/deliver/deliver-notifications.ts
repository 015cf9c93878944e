import { inboxWrite } from '#alerts/dispatch/inbox.ts';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { dropPacked, unpackBytes } from '#alerts/packed-bytes.ts';
import { type DeliveryPlan, planDelivery } from '#alerts/receivers/plan-delivery.ts';
import type { Verdict } from '#alerts/receivers/verdict.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS, MINUTE_MS } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';
import { withLease } from '#ports/lease.ts';
import type { Table, Write } from '#ports/table.ts';
import {
  type Delivery,
  type DeliveryBatch,
  decodePlanned,
  deliveryItem,
  deliveryKey,
  listBatches,
  listDue,
  splitBatch,
} from './delivery.ts';
import { LOG_KEPT_MS, type ToldEntry, toldWrite } from './told-log.ts';

export interface DeliverDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Sends one notification under its idempotency key; says what came of it and tells no secret. */
  readonly send: (tenant: string, planned: PlannedDelivery, idempotencyKey: string) => Promise<Verdict>;
  readonly remainingMs?: (() => number) | undefined;
}

/** What a run did. */
export interface DeliverResult {
  readonly sent: number;
  readonly retried: number;
  readonly gaveUp: number;
  /** Left out, since a later notification of the same group is on its way or told. */
  readonly superseded: number;
}

/** Longer than any send takes: another process tries again after it. */
const CLAIM_MS = 2 * MINUTE_MS;
const AT_ONCE = 8;
const PER_ROUND = 64;
const RESERVE_MS = 60_000;

type Outcome = keyof DeliverResult;

/**
 * Sends what is due, until nothing is. A delivery is claimed by moving its due time on, sent, and then deleted, moved to its next try, or
 * given up into the dead letters, which is an alert itself. A process that dies in between leaves the claim to run out.
 */
export async function deliverNotifications(deps: DeliverDeps): Promise<DeliverResult> {
  const counts: Record<Outcome, number> = { sent: 0, retried: 0, gaveUp: 0, superseded: 0 };
  for (;;) {
    for (const batch of await listBatches(deps.table)) await takeApart(deps, batch);
    const due = await listDue(deps.table, deps.now(), PER_ROUND);
    if (due.length === 0 || (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < RESERVE_MS) return counts;
    const outcomes = await mapConcurrent(due, AT_ONCE, (delivery) => deliverOne(deps, delivery));
    for (const outcome of outcomes) if (outcome) counts[outcome]++;
  }
}

/** One at a time: who is late would put back what the other has sent meanwhile. One that dies is followed once its claim has run out. */
async function takeApart(deps: DeliverDeps, batch: DeliveryBatch): Promise<void> {
  await withLease(deps, `alerts-deliver/${batch.key.sk}`, CLAIM_MS, async () => {
    if (await retry(() => deps.table.get(batch.key))) await splitIntoDeliveries(deps, batch);
  });
}

/** Lanes first, then deliveries, then the batch goes: whatever is cut off is done again, and is the same. */
async function splitIntoDeliveries(deps: DeliverDeps, batch: DeliveryBatch): Promise<void> {
  const { table } = deps;
  const bytes = await unpackBytes(deps, batch.packed);
  const deliveries = await splitBatch(deps, batch, bytes ? decodePlanned(bytes) : []);
  await mapConcurrent(deliveries, AT_ONCE, (delivery) => moveLane(table, delivery));
  await retry(() => table.batch(deliveries.map((delivery) => ({ kind: 'put', item: deliveryItem(delivery) }))));
  await retry(() => table.delete(batch.key));
  await dropPacked(deps, batch.packed);
}

function laneKey({ tenant, lane }: Pick<Delivery, 'tenant' | 'lane'>) {
  return { pk: `alerts/lanes/${tenant}`, sk: lane };
}

/** A lane never goes back. */
async function moveLane(table: Table, delivery: Delivery): Promise<void> {
  const item = { ...laneKey(delivery), version: delivery.version, expiresAtS: Math.ceil((delivery.createdAtMs + LOG_KEPT_MS) / 1_000) };
  for (const condition of [{ exists: false }, { atMost: { version: delivery.version } }]) {
    try {
      await retry(() => table.put(item, condition));
      return;
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
    }
  }
}

async function deliverOne(deps: DeliverDeps, due: Delivery): Promise<Outcome | undefined> {
  const { table, now } = deps;
  const claimed: Delivery = { ...due, dueAtMs: now() + CLAIM_MS, attempts: due.attempts + 1 };
  if (!(await replace(table, due, [{ kind: 'put', item: deliveryItem(claimed) }]))) return undefined;
  const lane = await retry(() => table.get(laneKey(due)));
  if (Number(lane?.version ?? 0) > due.version) return finish(deps, claimed, 'superseded', []);
  const bytes = await unpackBytes(deps, claimed.packed);
  const [planned] = bytes ? decodePlanned(bytes) : [];
  if (!planned) return finish(deps, claimed, 'superseded', []);
  const verdict = await deps.send(due.tenant, planned, due.id);
  return settle(deps, claimed, planned, planDelivery(claimed, verdict, now(), deps.random()));
}

async function settle(deps: DeliverDeps, delivery: Delivery, planned: PlannedDelivery, plan: DeliveryPlan): Promise<Outcome | undefined> {
  if (plan.kind === 'sent') return finish(deps, delivery, 'sent', [logWrite(deps, delivery, planned, 'sent', '')]);
  if (plan.kind === 'retry') {
    const next = { kind: 'put' as const, item: deliveryItem({ ...delivery, dueAtMs: plan.atMs }) };
    const isMoved = await replace(deps.table, delivery, [next, logWrite(deps, delivery, planned, 'retried', plan.reason)]);
    return isMoved ? 'retried' : undefined;
  }
  await keepDeadLetters(deps.table, [
    {
      id: delivery.id,
      atMs: deps.now(),
      from: `notification to ${planned.receiver}/${planned.integration}`,
      error: plan.reason,
      event: JSON.stringify({ tenant: delivery.tenant, groupKey: planned.groupKey, alerts: planned.alerts.length }),
    },
  ]);
  const failed = await inboxWrite(deps, delivery.tenant, [failureAlert(planned, plan.reason, deps.now())], deps.now());
  return finish(deps, delivery, 'gaveUp', [failed, logWrite(deps, delivery, planned, 'gave up', plan.reason)]);
}

/** That nobody could be told is told to whoever is configured for it; it ends by itself when it does not happen again. */
function failureAlert(planned: PlannedDelivery, reason: string, nowMs: number) {
  return {
    labels: {
      alertname: 'NotificationFailed',
      receiver: planned.receiver,
      integration: planned.integration,
      severity: 'critical',
      source: 'quarterdeck',
    },
    annotations: { summary: `Notifications to ${planned.receiver} could not be delivered`, description: reason },
    startsAtMs: nowMs,
    endsAtMs: nowMs + DAY_MS / 4,
    updatedAtMs: nowMs,
    generatorUrl: '',
    endIsTimeout: true,
  };
}

/** One line of what was told, for those who ask why. */
function logWrite(deps: DeliverDeps, delivery: Delivery, planned: PlannedDelivery, outcome: ToldEntry['outcome'], reason: string): Write {
  const { attempts, tenant, lane, id } = delivery;
  return toldWrite(tenant, lane, id, { atMs: deps.now(), outcome, reason, why: planned.reason, attempts, alerts: planned.alerts.length });
}

async function finish(deps: DeliverDeps, delivery: Delivery, outcome: Outcome, writes: readonly Write[]): Promise<Outcome | undefined> {
  if (!(await replace(deps.table, delivery, writes))) return undefined;
  await dropPacked(deps, delivery.packed);
  return outcome;
}

/** Takes a delivery out where it stands and puts others in its place; false where it stands there no more. */
async function replace(table: Table, delivery: Delivery, writes: readonly Write[]): Promise<boolean> {
  try {
    await retry(() => table.transact([{ kind: 'delete', key: deliveryKey(delivery), condition: { exists: true } }, ...writes]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return false;
  }
}
