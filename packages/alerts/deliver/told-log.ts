import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { Table, Write } from '#ports/table.ts';

/** One try to tell a lane something. */
export interface ToldEntry {
  readonly atMs: number;
  readonly outcome: 'sent' | 'retried' | 'gave up';
  /** Why it failed; '' where it did not. */
  readonly reason: string;
  /** Why the group was told at all: `first-notification`, ... */
  readonly why: string;
  /** Which try it was, from 1. */
  readonly attempts: number;
  /** Alerts in the notification. */
  readonly alerts: number;
}

/** How long what was told is remembered. */
const LOG_KEPT_MS = 14 * DAY_MS;

function partition(tenant: string, lane: string): string {
  return `alerts/told/${tenant}/${lane}`;
}

/** The write that remembers a try; it belongs in the transaction of what the try came to. */
export function toldWrite(
  tenant: string,
  lane: string,
  deliveryId: string,
  { atMs, ...entry }: ToldEntry,
): Extract<Write, { kind: 'put' }> {
  const sk = `${new Date(atMs).toISOString()}#${deliveryId}`;
  return { kind: 'put', item: { pk: partition(tenant, lane), sk, ...entry, expiresAtS: Math.ceil((atMs + LOG_KEPT_MS) / 1_000) } };
}

/** What a lane was told lately, the latest first. */
export async function listTold(table: Table, tenant: string, lane: string, limit: number): Promise<ToldEntry[]> {
  const { items } = await retry(() => table.query({ pk: partition(tenant, lane), limit, reverse: true }));
  return items.map(({ sk, outcome, reason, why, attempts, alerts }) => ({
    atMs: Date.parse(sk.slice(0, sk.indexOf('#'))),
    outcome: outcome as ToldEntry['outcome'],
    reason: String(reason),
    why: String(why),
    attempts: Number(attempts),
    alerts: Number(alerts),
  }));
}
