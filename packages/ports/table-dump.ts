import type { Item } from './table.ts';

/** A table as it is held for reading. */
export interface TableMoment {
  /** `moment`: every scan gives the table as it was at `atMs`. `fuzzy`: each item is as it is when it is scanned. */
  readonly consistency: 'moment' | 'fuzzy';
  readonly atMs: number;
  /** Every item, in an order that stays while the table does; may be had several times, one after the other. */
  scan(): AsyncIterable<Item>;
  /** Lets the table go on without it. */
  close(): Promise<void>;
}

/** Reads whole tables, which the Table port does not: for backups. Errors: `unavailable` (retryable from its beginning), `denied`. */
export interface TableDump {
  begin(): Promise<TableMoment>;
}
