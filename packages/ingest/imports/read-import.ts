import { retry } from '#core/retry.ts';
import type { Table } from '#ports/table.ts';
import { type ImportRecord, importItemKey, noSuchImport, recordOf } from './import-record.ts';

/** How an import stands. `missing` where this tenant has none of that id. */
export async function readImport(deps: { table: Table }, input: { tenant: string; id: string }): Promise<ImportRecord> {
  const item = /^[A-Za-z0-9-]{1,64}$/.test(input.id) ? await retry(() => deps.table.get(importItemKey(input))) : undefined;
  if (!item) throw noSuchImport(input.id);
  return recordOf(input.tenant, item);
}
