import type { Clock } from '#core/time.ts';
import type { TableDump } from '#ports/table-dump.ts';
import { decodeItem } from './item-codec.ts';
import { openConnection, sqliteError } from './sqlite-database.ts';

const BUSY_TIMEOUT_MS = 5_000;
const TURN_ITEMS = 500;

/**
 * The TableDump port on a table's file: one read transaction, so that all scans see one moment. While it is open the write-ahead log cannot be
 * emptied and grows by what is written.
 */
export function createSqliteDump(path: string, clock: Clock): TableDump {
  return {
    async begin() {
      const db = openConnection(path, BUSY_TIMEOUT_MS);
      try {
        db.exec('begin');
        // The moment is that of the first read.
        db.prepare('select 1 from items limit 1').get();
      } catch (error) {
        db.close();
        throw sqliteError(`read ${path}`, error);
      }
      return {
        consistency: 'moment',
        atMs: clock(),
        async *scan() {
          let count = 0;
          for (const row of db.prepare('select pk, sk, body from items order by pk, sk').iterate()) {
            yield decodeItem({ pk: row.pk as string, sk: row.sk as string }, row.body as Uint8Array);
            if (++count % TURN_ITEMS === 0) await new Promise((resolve) => setImmediate(resolve));
          }
        },
        async close() {
          if (db.isOpen) db.close();
        },
      };
    },
  };
}
