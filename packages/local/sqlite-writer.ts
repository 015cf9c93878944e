import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { isBusy, openConnection } from './sqlite-database.ts';
import { createGroupWriter, type UnitOutcome, type WriteUnit } from './sqlite-group.ts';
import { startUpkeep } from './sqlite-upkeep.ts';

const GROUP_UNITS = 1_000;
const GROUP_BYTES = 1024 * 1024;
/** The event loop waits this long for another process' commit, then does other things for BUSY_PAUSE_MS. */
const BUSY_WAIT_MS = 5;
const BUSY_PAUSE_MS = 10;

/** Commits writes. */
export interface SqliteWriter {
  /** Resolves when the unit is on the disk, with the encoded item of an update. */
  submit(unit: WriteUnit): Promise<Uint8Array | undefined>;
  /** Commits what has been submitted and lets go of the file. */
  close(): Promise<void>;
}

interface PendingUnit {
  readonly unit: WriteUnit;
  readonly settle: (outcome: UnitOutcome) => void;
}

/**
 * Group commit in two steps: what is submitted in one tick is one transaction, written to the log without a sync, and one
 * fdatasync of the log makes all transactions since the last one durable. Nobody hears of a transaction before that, of its
 * failed conditions neither, since they may rest on one that is not durable yet. SQLite itself syncs the log before it moves
 * anything from there to the database file (synchronous = normal), so the file is sound after any crash.
 */
export function createSqliteWriter({ path, busyTimeoutMs }: { path: string; busyTimeoutMs: number }, clock: Clock): SqliteWriter {
  const db = openConnection(path, BUSY_WAIT_MS);
  const applyGroup = createGroupWriter(db);
  const upkeep = startUpkeep(path, clock);
  let waiting: PendingUnit[] = [];
  let unsynced: ((failure?: UnitOutcome) => void)[] = [];
  let log: FileHandle | undefined;
  let committing: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const commitWaiting = async () => {
    await Promise.resolve(); // the rest of this tick joins the group
    while (waiting.length > 0) {
      const group = waiting.slice(0, groupSize(waiting));
      waiting = waiting.slice(group.length);
      const outcomes = await apply(group.map((pending) => pending.unit));
      for (const [i, pending] of group.entries()) unsynced.push((failure) => pending.settle(failure ?? outcomes[i]));
      syncing ??= syncLog().finally(() => {
        syncing = undefined;
      });
    }
  };

  const apply = async (units: readonly WriteUnit[]): Promise<UnitOutcome[]> => {
    for (const deadlineMs = performance.now() + busyTimeoutMs; ; ) {
      try {
        return applyGroup(units);
      } catch (error) {
        if (isBusy(error) && performance.now() < deadlineMs) await sleep(BUSY_PAUSE_MS);
        else return units.map(() => failed(path, (error as Error).message));
      }
    }
  };

  const syncLog = async () => {
    while (unsynced.length > 0) {
      const settles = unsynced;
      unsynced = [];
      try {
        log ??= await open(`${path}-wal`, 'r');
        await log.datasync();
      } catch (error) {
        // Whether these are durable is not known: their senders hear so, and may repeat them.
        for (const settle of settles) settle(failed(path, (error as Error).message));
        continue;
      }
      for (const settle of settles) settle();
    }
    upkeep.wake();
  };

  const submit = (unit: WriteUnit) =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      if (closing) return reject(new OpsError('unavailable', `table ${path} is closed`));
      const settle = (outcome: UnitOutcome) => {
        if (outcome.done) resolve(outcome.body);
        else reject(new OpsError(outcome.kind, outcome.message, { hint: outcome.hint }));
      };
      waiting.push({ unit, settle });
      committing ??= commitWaiting().finally(() => {
        committing = undefined;
      });
    });

  const close = async () => {
    while (committing || syncing) await (committing ?? syncing);
    await upkeep.stop();
    await log?.close();
    db.close();
  };

  return { submit, close: () => (closing ??= close()) };
}

/** How many of the units that wait make the next group: at least one. */
function groupSize(waiting: readonly PendingUnit[]): number {
  let sizeBytes = 0;
  let size = 0;
  while (size < waiting.length && size < GROUP_UNITS && sizeBytes < GROUP_BYTES) {
    for (const write of waiting[size].unit) sizeBytes += write.kind === 'put' ? write.body.length : 0;
    size++;
  }
  return size;
}

function failed(path: string, message: string): UnitOutcome {
  return { done: false, kind: 'unavailable', message: `table ${path} could not commit: ${message}` };
}
