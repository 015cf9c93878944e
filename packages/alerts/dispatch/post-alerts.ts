import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table, Write } from '#ports/table.ts';
import { EMPTY_BOOK, encodeBook } from './book.ts';
import { type BookPointer, commitBook, readBookPointer } from './book-pointer.ts';
import { openBook } from './dispatch.ts';
import { inboxWrite } from './inbox.ts';

export interface PostAlertsDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly newId: () => string;
  /** Most alerts that a tenant's book takes from outside senders. Default: 200,000. */
  readonly maxAlerts?: number | undefined;
}

const MAX_ALERTS = 200_000;

/**
 * Puts alerts of an outside sender where the next dispatch takes them; durable when it resolves. Gives how many are left out since there are
 * too many already; those that the book has are taken in any case, or nobody could say that they are over.
 */
export async function postAlerts(deps: PostAlertsDeps, tenant: string, alerts: readonly ReceivedAlert[]): Promise<number> {
  const pointer = await readBookPointer(deps.table, tenant);
  const taken =
    pointer && pointer.alerts + alerts.length > (deps.maxAlerts ?? MAX_ALERTS) ? await keepKnown(deps, pointer, alerts) : alerts;
  if (taken.length === 0) return alerts.length;
  const write = await inboxWrite(deps, tenant, taken, deps.now());
  // Dispatching goes by the books that there are: the first alert of a tenant that no file names opens its book.
  if (pointer || !(await openFirst(deps, tenant, write))) await retry(() => deps.table.transact([write]));
  return alerts.length - taken.length;
}

async function openFirst(deps: PostAlertsDeps, tenant: string, write: Write): Promise<boolean> {
  const { configId } = EMPTY_BOOK;
  const first = { tenant, nextMs: undefined, configId, committedAtMs: deps.now(), alerts: 0, packed: { body: encodeBook(EMPTY_BOOK) } };
  return commitBook(deps.table, undefined, first, deps.newId(), [write]);
}

async function keepKnown(deps: PostAlertsDeps, pointer: BookPointer, alerts: readonly ReceivedAlert[]): Promise<readonly ReceivedAlert[]> {
  const { alerts: known } = await openBook(deps, pointer);
  let room = (deps.maxAlerts ?? MAX_ALERTS) - known.size;
  return alerts.filter(({ labels }) => known.has(fingerprintLabels(labels)) || room-- > 0);
}
