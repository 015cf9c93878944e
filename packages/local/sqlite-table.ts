import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { compareUtf8 } from '#core/text.ts';
import type { Clock } from '#core/time.ts';
import {
  assertChanges,
  assertCondition,
  assertKey,
  assertKeyPart,
  assertTransaction,
  assertWrite,
  checkedItem,
  queryLimit,
} from '#ports/item-rules.ts';
import type { Item, QueryInput, QueryPage, Table, Write } from '#ports/table.ts';
import { decodeItem, encodeItem } from './item-codec.ts';
import { openConnection, prepareDatabase, sqliteError } from './sqlite-database.ts';
import type { StoredWrite } from './sqlite-group.ts';
import { createSqliteWriter } from './sqlite-writer.ts';

const PAGE_BYTES = 1024 * 1024;
const READ_BUSY_TIMEOUT_MS = 500;

/** A table in a file, to be closed. */
export interface SqliteTable extends Table {
  /** Commits what is under way and lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens the Table port on one SQLite file with a write-ahead log; several processes may hold it. Reads happen on the caller's thread
 * (at most 1 MB a page), commits on another, many writes at a time; a commit that another
 * process keeps from its turn for `busyTimeoutMs` is `unavailable`. Expired items are dropped some time after a later write.
 */
export async function openSqliteTable(path: string, clock: Clock, busyTimeoutMs = 5_000): Promise<SqliteTable> {
  await prepareDatabase(path);
  const db = openConnection(path, READ_BUSY_TIMEOUT_MS);
  const writer = createSqliteWriter({ path, busyTimeoutMs }, clock);
  const selectOne = db.prepare('select body from items where pk = ? and sk = ?');
  const selectPage = preparePages(db);
  return {
    async get(key) {
      assertKey(key);
      const row = readRows(path, () => selectOne.get(key.pk, key.sk));
      return row && decodeItem(key, row.body as Uint8Array);
    },
    async put(item, condition) {
      await writer.submit([storedWrite({ kind: 'put', item, condition })]);
    },
    async update(key, changes, condition) {
      assertChanges(changes);
      const body = await writer.submit([storedWrite({ kind: 'update', key, changes, condition })]);
      return decodeItem(key, body as Uint8Array);
    },
    async delete(key, condition) {
      await writer.submit([storedWrite({ kind: 'delete', key, condition })]);
    },
    async query(input) {
      assertKeyPart('pk', input.pk);
      const limit = queryLimit(input.limit);
      return readRows(path, () => readPage(selectPage, input, limit));
    },
    async transact(writes) {
      assertTransaction(writes);
      await writer.submit(writes.map(storedWrite));
    },
    async batch(writes) {
      const units = writes.map((write) => [storedWrite(write)]);
      await Promise.all(units.map((unit) => writer.submit(unit)));
    },
    async close() {
      await writer.close();
      if (db.isOpen) db.close();
    },
  };
}

/** The write checked, with what it holds encoded at once: later changes to the caller's objects are no write. */
function storedWrite(write: Write): StoredWrite {
  const { condition } = write;
  assertCondition(condition);
  if (write.kind === 'put') {
    const item = checkedItem(write.item);
    return { kind: 'put', key: { pk: item.pk, sk: item.sk }, body: encodeItem(item), expires: item.expiresAtS ?? null, condition };
  }
  assertWrite(write);
  return write.kind === 'update' ? structuredClone(write) : { kind: write.kind, key: write.key, condition };
}

function readRows<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw sqliteError(`read ${path}`, error);
  }
}

type PageStatements = Readonly<Record<'up' | 'upAfter' | 'down', StatementSync>>;

function preparePages(db: DatabaseSync): PageStatements {
  const columns = 'select sk, body from items where pk = :pk and sk < :to';
  return {
    up: db.prepare(`${columns} and sk >= :from order by sk`),
    upAfter: db.prepare(`${columns} and sk > :from order by sk`),
    down: db.prepare(`${columns} and sk >= :from order by sk desc`),
  };
}

function startPage(statements: PageStatements, { pk, from = '', to, after, reverse }: QueryInput) {
  // SQLite orders bytes behind every text.
  const end = to ?? new Uint8Array(0);
  if (after === undefined) return statements[reverse ? 'down' : 'up'].iterate({ pk, from, to: end });
  if (reverse) return statements.down.iterate({ pk, from, to: to === undefined || compareUtf8(after, to) < 0 ? after : to });
  return compareUtf8(after, from) < 0
    ? statements.up.iterate({ pk, from, to: end })
    : statements.upAfter.iterate({ pk, from: after, to: end });
}

function readPage(statements: PageStatements, input: QueryInput, limit: number): QueryPage {
  const items: Item[] = [];
  let sizeBytes = 0;
  for (const row of startPage(statements, input)) {
    // One row more than the page has room for says that there is a next page.
    if (items.length === limit || sizeBytes >= PAGE_BYTES) return { items, next: items[items.length - 1].sk };
    const body = row.body as Uint8Array;
    sizeBytes += body.length;
    items.push(decodeItem({ pk: input.pk, sk: row.sk as string }, body));
  }
  return { items };
}
