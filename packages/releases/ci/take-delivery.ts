import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS } from '#core/time.ts';
import type { CiReport } from '#model/ci-report.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import { ciReportedEvent } from './ci-reported.ts';

export interface TakeDeliveryDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

/** A delivery that says something. */
export interface Delivery {
  readonly tenant: string;
  /** See VerifiedDelivery. */
  readonly proof: string;
  readonly report: CiReport;
  /** What is reported once however many deliveries tell of it. */
  readonly subject?: string | undefined;
}

/** GitHub signs no time: as long as this no replay of what it sent is taken. */
const REMEMBERED_MS = 400 * DAY_MS;

/**
 * Takes a delivery once: its names and the event go into one transaction, so that of several that are the same, one after another or at the
 * same time, one makes an event. A delivery is the same by its id, by what was signed, or by its subject. One whose transaction took effect
 * while its answer got lost is `already`, which it is.
 */
export async function takeDelivery(deps: TakeDeliveryDeps, delivery: Delivery): Promise<'taken' | 'already'> {
  const { tenant, report } = delivery;
  const at = new Date(deps.now()).toISOString();
  const event = ciReportedEvent({ id: deps.newId(), tenant, at, report });
  try {
    await retry(() => deps.table.transact([...onceWrites(delivery, deps.now()), outboxWrite(event)]));
    return 'taken';
  } catch (error) {
    if (isOpsError(error, 'conflict')) return 'already';
    throw error;
  }
}

function onceWrites({ tenant, proof, report, subject }: Delivery, nowMs: number): Write[] {
  const { provider, delivery } = report;
  const names = [`id/${delivery}`, `proof/${proof}`, ...(subject === undefined ? [] : [`subject/${subject}`])];
  const expiresAtS = Math.ceil((nowMs + REMEMBERED_MS) / 1_000);
  return names.map((name) => ({
    kind: 'put',
    item: { pk: `releases/deliveries/${tenant}`, sk: `${provider}/${name}`, expiresAtS },
    condition: { exists: false },
  }));
}
