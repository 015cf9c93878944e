import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import type { Uploads } from '#ports/uploads.ts';
import { openFileBlobs } from './file-blobs.ts';
import { createLocalBus, type DeadLetter, type LocalBus } from './local-bus.ts';
import { createLocalSchedules, type LocalSchedules } from './local-schedules.ts';
import { createLocalUploads, readOrMakeSecret, type UploadGrant, verifyTicket } from './local-uploads.ts';
import { openPackStore } from './pack-store.ts';
import { createPackedBlobs } from './packed-blobs.ts';
import { openSqliteTable } from './sqlite-table.ts';
import { systemTimers, type Timers } from './timers.ts';

/** Every port on one data folder. */
export interface LocalPorts {
  readonly blobs: Blobs;
  readonly table: Table;
  readonly bus: LocalBus;
  readonly schedules: LocalSchedules;
  readonly uploads: Uploads;
  /** What the fields of an upload form permit; `denied` if they are not those of a valid ticket. */
  verifyTicket(fields: Readonly<Record<string, string | undefined>>): UploadGrant;
  /** As `blobs.put`, for an object of any size that comes as a stream. */
  putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<'created' | 'exists'>;
  /** Stops the bus, commits what is under way and lets go of the files. */
  close(): Promise<void>;
}

export interface LocalOptions {
  readonly timers?: Timers | undefined;
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined;
  /** Where the server takes upload forms. Default `/uploads`, to be resolved against the server's own address. */
  readonly uploadUrl?: string | undefined;
  /** Told of each delivery that was given up, after it was kept: an item in the partition `local/dead-letters`, for 14 days. */
  readonly onDeadLetter?: ((letter: DeadLetter) => void) | undefined;
}

const DEAD_LETTER_DAYS = 14;

/** Opens the data folder, making it where it is not there. Several processes may hold it; one of them should run bus and scheduler. */
export async function openLocal(folder: string, clock: Clock, options: LocalOptions = {}): Promise<LocalPorts> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const secret = await readOrMakeSecret(join(folder, 'upload-secret'));
  const files = await openFileBlobs({ folder: join(folder, 'blobs'), tempFolder: join(folder, 'tmp'), clock });
  const packs = openPackStore(join(folder, 'packs'), clock);
  const table = await openSqliteTable(join(folder, 'table.db'), clock);
  const blobs = createPackedBlobs({ files, packs, isPacked: (key) => key.startsWith('segments/') });
  const bus = createLocalBus({
    table,
    timers: options.timers ?? systemTimers,
    random: options.random ?? Math.random,
    newId: randomUUID,
    async onDeadLetter(letter) {
      await keepDeadLetter(table, letter, clock());
      options.onDeadLetter?.(letter);
    },
  });
  return {
    blobs,
    table,
    bus,
    schedules: createLocalSchedules(table),
    uploads: createLocalUploads({ secret, url: options.uploadUrl ?? '/uploads', clock }),
    verifyTicket: (fields) => verifyTicket(secret, fields, clock()),
    putStream: files.putStream,
    async close() {
      await bus.stop();
      await table.close();
      await packs.close();
    },
  };
}

async function keepDeadLetter(table: Table, letter: DeadLetter, nowMs: number): Promise<void> {
  const { rule, event, error } = letter;
  const sk = `${new Date(nowMs).toISOString()}/${randomUUID()}`;
  const expiresAtS = Math.floor(nowMs / 1_000) + DEAD_LETTER_DAYS * 86_400;
  await table.put({
    pk: 'local/dead-letters',
    sk,
    rule,
    event: JSON.stringify(event),
    error: error.toWellFormed().slice(0, 2_000),
    expiresAtS,
  });
}
