import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import { EMPTY_BOOK, encodeBook } from './book.ts';
import { commitBook, readBookPointer } from './book-pointer.ts';
import { inboxWrite } from './inbox.ts';

export interface PostAlertsDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
}

/** Puts alerts of an outside sender where the next dispatch takes them; durable when it resolves. */
export async function postAlerts(deps: PostAlertsDeps, tenant: string, alerts: readonly ReceivedAlert[]): Promise<void> {
  if (alerts.length === 0) return;
  const { table } = deps;
  const write = await inboxWrite(deps, tenant, alerts, deps.now());
  if (!(await readBookPointer(table, tenant))) {
    // Dispatching goes by the books that there are: the first alert of a tenant that no file names opens its book.
    const first = { tenant, nextMs: undefined, configId: EMPTY_BOOK.configId, packed: { body: encodeBook(EMPTY_BOOK) } };
    if (await commitBook(table, undefined, first, deps.newId(), [write])) return;
  }
  await retry(() => table.transact([write]));
}
