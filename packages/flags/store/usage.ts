import { createHash } from 'node:crypto';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS, isoDate, MINUTE_MS } from '#core/time.ts';
import type { Item, Table } from '#ports/table.ts';

/** How a flag was asked for: by its name, or with all others, which says nothing of whether code looks at it. */
export type Asked = 'single' | 'bulk';

/** The last day on which a variant of a flag was given. */
export interface VariantDay {
  readonly flag: string;
  /** '' where the code's own default was left to hold. */
  readonly variant: string;
  readonly asked: Asked;
  /** `2026-11-27`, UTC. */
  readonly day: string;
}

/** What this process has seen and not yet written. */
export interface FlagUsage {
  note(tenant: string, flag: string, variant: string | undefined, asked: Asked): void;
  /** Writes what was noted, once a minute at most; to be called as a request ends. Never fails: what is not written is tried the next time. */
  flush(): Promise<void>;
}

const FLUSH_MS = MINUTE_MS;
const KEPT_DAYS = 400;
/** Bounds what is remembered of a day; past that a variant is written more than once, which does no harm. */
const MAX_SEEN = 100_000;

const partition = (tenant: string) => `flags/usage/${tenant}`;

/**
 * Notes which variants were given on which day, and no counts: a process writes each variant of a flag once a day, so that the table's work
 * does not grow with evaluations. What a process saw in its last minute is lost where it ends.
 */
export function createFlagUsage(table: Table, now: Clock): FlagUsage {
  let [dayNumber, day] = [-1, ''];
  let seen = new Set<string>();
  let pending: Item[] = [];
  let flushedMs = now();
  return {
    note(tenant, flag, variant = '', asked) {
      const id = `${asked}\0${tenant}\0${flag}\0${variant}`;
      const today = Math.floor(now() / DAY_MS);
      if (today !== dayNumber || seen.size >= MAX_SEEN) {
        [dayNumber, day] = [today, isoDate(now())];
        seen = new Set();
      }
      if (seen.has(id)) return;
      seen.add(id);
      const sk = createHash('sha256').update(id).digest('hex').slice(0, 40);
      const expiresAtS = Math.floor((now() + KEPT_DAYS * DAY_MS) / 1_000);
      pending.push({ pk: partition(tenant), sk, flag, variant, asked, day, expiresAtS });
    },
    async flush() {
      if (pending.length === 0 || now() - flushedMs < FLUSH_MS) return;
      const writing = pending;
      pending = [];
      flushedMs = now();
      try {
        await table.batch(writing.map((item) => ({ kind: 'put', item })));
      } catch (error) {
        // An answer is not to fail for it: what was noted stays, and is written in a minute.
        if (!isOpsError(error)) throw error;
        pending = [...writing, ...pending].slice(0, MAX_SEEN);
      }
    },
  };
}

/** Every last day that is known of a tenant's flags. */
export async function readUsage(table: Table, tenant: string): Promise<VariantDay[]> {
  const days: VariantDay[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: partition(tenant), after }));
    for (const { flag, variant, asked, day } of page.items)
      days.push({ flag: String(flag), variant: String(variant), asked: asked === 'single' ? 'single' : 'bulk', day: String(day) });
    if (page.next === undefined) return days;
    after = page.next;
  }
}
