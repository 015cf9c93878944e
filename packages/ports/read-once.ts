import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Table } from './table.ts';

/** Less than any replaced object is kept: what is read for longer has to see what took its place. */
const MAX_AGE_MS = MINUTE_MS;

/**
 * The table as it is when each thing is first read: a thousand rules of one evaluation then ask for a day's catalog once. After a minute all of
 * it is read anew. Writes go through and are not seen. A read that failed is made again.
 */
export function readOnce(table: Table, now: Clock): Table {
  const answers = new Map<string, Promise<unknown>>();
  let sinceMs = now();
  const once = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    if (now() - sinceMs >= MAX_AGE_MS) {
      answers.clear();
      sinceMs = now();
    }
    const known = answers.get(key) as Promise<T> | undefined;
    if (known) return known;
    const answer = read();
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };
  return {
    ...table,
    get: (key) => once(JSON.stringify([key.pk, key.sk]), () => table.get(key)),
    query: (input) => once(JSON.stringify(input), () => table.query(input)),
  };
}
