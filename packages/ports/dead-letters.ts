import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { Table } from './table.ts';

/** Something that could not be delivered, or whose function failed to the end. */
export interface DeadLetter {
  /** Unique; the same when the letter comes again. */
  readonly id: string;
  readonly atMs: number;
  /** Rule, schedule or function that gave up. */
  readonly from: string;
  readonly error: string;
  /** What was to be delivered, as JSON. */
  readonly event: string;
}

export const DEAD_LETTERS = 'dead-letters';
const KEPT_MS = 14 * DAY_MS;
const MAX_ERROR_CHARACTERS = 2_000;
const MAX_EVENT_CHARACTERS = 64_000;

/** Keeps letters for 14 days, oldest first in the partition `dead-letters`; one that comes again is kept once. */
export async function keepDeadLetters(table: Table, letters: readonly DeadLetter[]): Promise<void> {
  const writes = letters.map(({ id, atMs, from, error, event }) => ({
    kind: 'put' as const,
    item: {
      pk: DEAD_LETTERS,
      sk: `${new Date(atMs).toISOString()}/${id}`,
      from,
      error: error.slice(0, MAX_ERROR_CHARACTERS).toWellFormed(),
      event: event.slice(0, MAX_EVENT_CHARACTERS).toWellFormed(),
      expiresAtS: Math.floor((atMs + KEPT_MS) / 1_000),
    },
  }));
  await retry(() => table.batch(writes));
}
