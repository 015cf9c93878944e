import { retry } from '#core/retry.ts';
import type { Bus, BusEvent } from './bus.ts';
import type { Table, Write } from './table.ts';

const PARTITION = 'outbox';
const EVENTS_PER_PASS = 100;

/**
 * The write that puts an event into the outbox; it belongs in the transaction of the change that it tells of, so that neither
 * can be without the other. `at` in the detail (ISO time) orders the outbox.
 */
export function outboxWrite(event: BusEvent): Write {
  const { id, at } = event.detail;
  return { kind: 'put', item: { pk: PARTITION, sk: `${at}#${id}`, event: JSON.stringify(event) } };
}

/** Sends what is in the outbox and takes it out; a crash between sends it again, which consumers bear. Returns how many were sent. */
export async function publishOutbox(deps: { table: Table; bus: Bus }): Promise<number> {
  let sent = 0;
  for (;;) {
    const page = await retry(() => deps.table.query({ pk: PARTITION, limit: EVENTS_PER_PASS }));
    if (page.items.length === 0) return sent;
    await deps.bus.publish(page.items.map((item) => JSON.parse(String(item.event)) as BusEvent));
    await retry(() => deps.table.batch(page.items.map(({ pk, sk }) => ({ kind: 'delete', key: { pk, sk } }))));
    sent += page.items.length;
  }
}
