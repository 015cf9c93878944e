import type { Table } from './table.ts';

/**
 * The table as it is when each thing is first read: a thousand rules of one evaluation then ask for a day's catalog once. Lives as long as
 * one evaluation; writes go through and are not seen. A read that failed is made again.
 */
export function readOnce(table: Table): Table {
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, read: () => Promise<T>): Promise<T> => {
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
