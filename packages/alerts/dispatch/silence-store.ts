import type { Silence } from '#alerts/routing/silence.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import { queryItems } from '#ports/query-items.ts';
import type { Table } from '#ports/table.ts';

/** How long what has expired is still shown, as in Alertmanager. */
const KEPT_MS = 5 * DAY_MS;

function partition(tenant: string): string {
  return `alerts/silences/${tenant}`;
}

/** A tenant's silences by id, those that expired lately among them. */
export async function readSilences(table: Table, tenant: string, nowMs: number): Promise<Map<string, Silence>> {
  const silences = new Map<string, Silence>();
  for (const { sk, silence } of await queryItems(table, { pk: partition(tenant) })) {
    const read = JSON.parse(String(silence)) as Silence;
    if (read.endsAtMs + KEPT_MS > nowMs) silences.set(sk, read);
  }
  return silences;
}

/** Writes silences together; each is gone from the table some time after it has expired. */
export async function writeSilences(table: Table, tenant: string, silences: readonly Silence[]): Promise<void> {
  await retry(() =>
    table.transact(
      silences.map((silence) => ({
        kind: 'put' as const,
        item: {
          pk: partition(tenant),
          sk: silence.id,
          silence: JSON.stringify(silence),
          expiresAtS: Math.ceil((silence.endsAtMs + KEPT_MS) / 1_000),
        },
      })),
    ),
  );
}
