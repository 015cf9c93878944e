import { inboxWrite } from '#alerts/dispatch/inbox.ts';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { dropPacked } from '#alerts/packed-bytes.ts';
import { type DeliveryPlan, defaultDeliveryLimits, planDelivery } from '#alerts/receivers/plan-delivery.ts';
import type { Verdict } from '#alerts/receivers/verdict.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import { keepDeadLetters } from '#ports/dead-letters.ts';
import type { Write } from '#ports/table.ts';
import { type Delivery, type DueDelivery, listDue, readDelivery, replaceWrites } from './delivery.ts';
import { listBatches } from './delivery-batch.ts';
import { openPlanned, type TakeApartDeps, takeApart } from './take-apart.ts';
import { type ToldEntry, toldWrite } from './told-log.ts';

export interface DeliverDeps extends TakeApartDeps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Sends one notification under its idempotency key; says what came of it and tells no secret. */
  readonly send: (tenant: string, planned: PlannedDelivery, idempotencyKey: string) => Promise<Verdict>;
  readonly remainingMs?: (() => number) | undefined;
  /** The one tenant whose notifications are sent; absent, those of all. */
  readonly onlyTenant?: string | undefined;
}

/** What a run did. */
export interface DeliverResult {
  readonly sent: number;
  readonly retried: number;
  readonly gaveUp: number;
}

/** Longer than any send takes: another process tries again after it. */
const CLAIM_MS = 2 * MINUTE_MS;
const AT_ONCE = 8;
const PER_ROUND = 64;
const RESERVE_MS = 60_000;

type Outcome = keyof DeliverResult;

/**
 * Sends what is due, until nothing is. A delivery is claimed by moving its due time on, sent, and then deleted, moved to its next try, or
 * given up into the dead letters, which is an alert itself. A process that dies in between leaves the claim to run out. What fails keeps
 * nothing else from being sent.
 */
export async function deliverNotifications(deps: DeliverDeps): Promise<DeliverResult> {
  const counts: Record<Outcome, number> = { sent: 0, retried: 0, gaveUp: 0 };
  const hasTime = () => (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) >= RESERVE_MS;
  const failures: unknown[] = [];
  const failed = new Set<string>();
  const attempt = async <T>(job: () => Promise<T>): Promise<T | undefined> => job().catch((error) => void failures.push(error));
  for (let isMoving = true; isMoving && hasTime(); ) {
    const batches = (await listBatches(deps.table, deps.onlyTenant)).filter(({ key }) => !failed.has(key.sk));
    for (const batch of batches) {
      const before = failures.length;
      await attempt(() => takeApart(deps, batch));
      if (failures.length > before) failed.add(batch.key.sk);
    }
    const due = await listDue(deps.table, deps.now(), PER_ROUND, deps.onlyTenant);
    const outcomes = await mapConcurrent(due, AT_ONCE, (one) => attempt(async () => (hasTime() ? deliverOne(deps, one) : undefined)));
    for (const outcome of outcomes) if (outcome) counts[outcome]++;
    isMoving = batches.length > 0 || outcomes.some((outcome) => outcome !== undefined);
  }
  await forEachSettled(failures, (failure) => Promise.reject(failure));
  return counts;
}

async function deliverOne(deps: DeliverDeps, due: DueDelivery): Promise<Outcome | undefined> {
  const before = await readDelivery(deps.table, due.tenant, due.lane);
  if (!before || Math.ceil(before.dueAtMs) !== due.dueAtMs) return undefined;
  const claimed = { ...before, dueAtMs: deps.now() + CLAIM_MS, attempts: before.attempts + 1, stamp: deps.newId() };
  if (!(await replace(deps, before, claimed))) return undefined;
  const planned = await openPlanned(deps, claimed);
  if (!planned) {
    const isStill = (await readDelivery(deps.table, due.tenant, due.lane))?.stamp === claimed.stamp;
    return isStill ? giveUp(deps, claimed, undefined, 'what it tells cannot be read any more') : undefined;
  }
  const isTooOld = before.attempts > 0 && deps.now() > claimed.createdAtMs + defaultDeliveryLimits.maxAgeMs;
  if (isTooOld) return giveUp(deps, claimed, planned, `not delivered in ${before.attempts} tries, the last of which did not end`);
  const verdict = await send(deps, claimed, planned);
  return settle(deps, claimed, planned, planDelivery(claimed, verdict, deps.now(), deps.random()));
}

/** Whatever is wrong with composing and sending is wrong with this notification alone. */
async function send(deps: DeliverDeps, { tenant, id }: Delivery, planned: PlannedDelivery): Promise<Verdict> {
  try {
    return await deps.send(tenant, planned, id);
  } catch (error) {
    return { kind: 'retry', reason: isOpsError(error) ? error.message : 'it could not be composed, by a defect of Quarterdeck' };
  }
}

async function settle(deps: DeliverDeps, delivery: Delivery, planned: PlannedDelivery, plan: DeliveryPlan): Promise<Outcome | undefined> {
  if (plan.kind === 'give-up') return giveUp(deps, delivery, planned, plan.reason);
  if (plan.kind === 'retry') {
    const next = { ...delivery, dueAtMs: plan.atMs, stamp: deps.newId() };
    return (await replace(deps, delivery, next, [logWrite(deps, delivery, planned, 'retried', plan.reason)])) ? 'retried' : undefined;
  }
  const log = logWrite(deps, delivery, planned, 'sent', '');
  if (!(await finish(deps, delivery, [log]))) await retry(() => deps.table.batch([log]));
  return 'sent';
}

async function giveUp(
  deps: DeliverDeps,
  delivery: Delivery,
  planned: PlannedDelivery | undefined,
  reason: string,
): Promise<Outcome | undefined> {
  const { id, tenant, receiver, integration } = delivery;
  const event = JSON.stringify({ tenant, receiver, integration, groupKey: planned?.groupKey, alerts: planned?.alerts.length });
  await keepDeadLetters(deps.table, [{ id, atMs: deps.now(), from: `notification to ${receiver}/${integration}`, error: reason, event }]);
  const failed = await inboxWrite(deps, tenant, [failureAlert(delivery, reason, deps.now())], deps.now());
  return (await finish(deps, delivery, [failed, logWrite(deps, delivery, planned, 'gave up', reason)])) ? 'gaveUp' : undefined;
}

/** That nobody could be told is told to whoever is configured for it; it ends by itself when it does not happen again. */
function failureAlert({ receiver, integration }: Delivery, reason: string, nowMs: number) {
  return {
    labels: { alertname: 'NotificationFailed', receiver, integration, severity: 'critical', source: 'quarterdeck' },
    annotations: { summary: `Notifications to ${receiver} could not be delivered`, description: reason },
    startsAtMs: nowMs,
    endsAtMs: nowMs + DAY_MS / 4,
    updatedAtMs: nowMs,
    generatorUrl: '',
    endIsTimeout: true,
  };
}

/** One line of what was told, for those who ask why. */
function logWrite(
  deps: DeliverDeps,
  { tenant, lane, id, attempts }: Delivery,
  planned: PlannedDelivery | undefined,
  outcome: ToldEntry['outcome'],
  reason: string,
): Extract<Write, { kind: 'put' }> {
  const why = planned?.reason ?? '';
  const alerts = planned?.alerts.length ?? 0;
  return toldWrite(tenant, lane, id, { atMs: deps.now(), outcome, reason: reason.toWellFormed(), why, attempts, alerts });
}

/** Takes a delivery out; one that a later notification has taken over meanwhile is told again by that. */
async function finish(deps: DeliverDeps, delivery: Delivery, writes: readonly Write[]): Promise<boolean> {
  if (!(await replace(deps, delivery, undefined, writes))) return false;
  await dropPacked(deps, delivery.packed);
  return true;
}

/** Puts a delivery in the place of what it was, or nothing; false where somebody else did something with it. */
async function replace(
  { table }: DeliverDeps,
  before: Delivery,
  after: Delivery | undefined,
  writes: readonly Write[] = [],
): Promise<boolean> {
  try {
    await retry(() => table.transact([...replaceWrites(before, after), ...writes]));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    // The answer to a write of ours may have got lost, and the repeat of it failed; after a claim only its holder takes a delivery out.
    return (await readDelivery(table, before.tenant, before.lane))?.stamp === after?.stamp;
  }
}
