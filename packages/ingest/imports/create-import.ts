import { OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, DAY_MS, HOUR_MS } from '#core/time.ts';
import type { ImportFormat } from '#ingest/import-stream.ts';
import type { InfluxPrecision } from '#ingest/influx-protocol.ts';
import type { Table } from '#ports/table.ts';
import type { Uploads, UploadTicket } from '#ports/uploads.ts';
import { type ImportEncoding, importItemKey, importObjectKey } from './import-record.ts';

export interface CreateImportDeps {
  readonly table: Table;
  readonly uploads: Uploads;
  readonly now: Clock;
  /** Unguessable; letters and digits. */
  readonly newId: () => string;
}

export interface CreateImportInput {
  readonly tenant: string;
  readonly format: ImportFormat;
  /** For influx only; nanoseconds by default. */
  readonly precision?: InfluxPrecision | undefined;
  /** Default: told by the file's first bytes. */
  readonly encoding?: ImportEncoding | undefined;
  /** The ticket takes no more than this. */
  readonly sizeBytes?: number | undefined;
}

/** The largest file: S3's own bound for one form POST. */
const MAX_UPLOAD_BYTES = 5 * 1024 ** 3;
/** For the upload to begin. */
const TICKET_MS = HOUR_MS;
const KEEP_MS = 30 * DAY_MS;

/** Begins an import: it waits for the file that the ticket lets its client upload. */
export async function createImport(deps: CreateImportDeps, input: CreateImportInput): Promise<{ id: string; ticket: UploadTicket }> {
  const { tenant, format, precision, encoding, sizeBytes } = input;
  if (sizeBytes !== undefined && sizeBytes > MAX_UPLOAD_BYTES) {
    throw new OpsError('limit', `the file has ${sizeBytes} bytes, an upload takes at most ${MAX_UPLOAD_BYTES}`, {
      hint: 'Compress it with gzip or zstd, or cut it between two lines.',
    });
  }
  if (precision !== undefined && format !== 'influx') throw new OpsError('input', `precision is for the format influx, not ${format}`);
  const id = deps.newId();
  const createdAtMs = deps.now();
  const key = importObjectKey({ tenant, id });
  const ticket = await deps.uploads.presign({ key, maxBytes: sizeBytes ?? MAX_UPLOAD_BYTES, expiresInMs: TICKET_MS });
  const expiresAtS = Math.floor((createdAtMs + KEEP_MS) / 1_000);
  const item = { ...importItemKey({ tenant, id }), state: 'waiting', format, precision, encoding, createdAtMs, expiresAtS };
  await retry(() => deps.table.put(item));
  return { id, ticket };
}
