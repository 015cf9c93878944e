import { retry } from '#core/retry.ts';
import type { Item, QueryInput, Table } from './table.ts';

export interface QueryItemsOptions {
  /** Most items that come back; default: all. */
  readonly limit?: number | undefined;
  readonly wanted?: ((item: Item) => boolean) | undefined;
}

/** The items of a query over as many pages as it takes, repeating reads that fail. */
export async function queryItems(table: Table, input: QueryInput, { limit, wanted }: QueryItemsOptions = {}): Promise<Item[]> {
  const found: Item[] = [];
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ ...input, limit, after }));
    for (const item of page.items) if (wanted?.(item) ?? true) found.push(item);
    if (page.next === undefined || (limit !== undefined && found.length >= limit)) return found.slice(0, limit);
    after = page.next;
  }
}
