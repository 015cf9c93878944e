import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '#core/errors.ts';

const SCHEMA_VERSION = 1;
const OPEN_ATTEMPTS = 50;
const OPEN_PAUSE_MS = 40;

// Without a row id, items lie in the order of their keys and are found in one tree. SQLite compares texts by their UTF-8 bytes.
const SCHEMA = `
  create table if not exists items (pk text not null, sk text not null, body blob not null, expires real, primary key (pk, sk)) without rowid;
  create index if not exists items_expires on items (expires) where expires is not null;
  pragma user_version = ${SCHEMA_VERSION};
`;

/** Creates the database file where there is none, and checks that it is one of ours. Several processes may do so at once. */
export async function prepareDatabase(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      prepareOnce(path);
      return;
    } catch (error) {
      // The change to a write-ahead log needs the file alone and does not wait for its turn.
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw error instanceof OpsError ? error : sqliteError(`open ${path}`, error);
      await sleep(OPEN_PAUSE_MS);
    }
  }
}

/** One connection. A commit on it survives the process but not the machine, until the log is synced; a write waits `busyTimeoutMs` for others. */
export function openConnection(path: string, busyTimeoutMs: number): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  db.exec('pragma synchronous = normal; pragma wal_autocheckpoint = 0; pragma cache_size = -16384;');
  return db;
}

/** What SQLite says, in our terms: whatever it is (busy, disk full, input/output), the same call may be repeated. */
export function sqliteError(what: string, cause: unknown): OpsError {
  return new OpsError('unavailable', `cannot ${what}: ${(cause as Error).message}`, { cause });
}

function prepareOnce(path: string): void {
  const db = new DatabaseSync(path, { timeout: 1_000 });
  try {
    const version = db.prepare('pragma user_version').get()?.user_version;
    if (version === SCHEMA_VERSION) return;
    if (version !== 0) throw new OpsError('input', `${path} is of version ${version}, this program knows ${SCHEMA_VERSION}`);
    db.exec('pragma auto_vacuum = incremental; pragma journal_mode = wal;');
    db.exec(`begin immediate; ${SCHEMA} commit;`);
  } finally {
    db.close();
  }
}

/** True if another connection is at the file. */
export function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && (code & 0xff) === SQLITE_BUSY;
}
