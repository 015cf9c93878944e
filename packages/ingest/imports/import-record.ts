import { OpsError } from '#core/errors.ts';
import type { Rejection } from '#ingest/decoded.ts';
import type { ImportFormat } from '#ingest/import-stream.ts';
import type { InfluxPrecision } from '#ingest/influx-protocol.ts';
import type { RejectedLine } from '#ingest/line-run.ts';
import type { Attribute, Item, ItemKey } from '#ports/table.ts';

/** `waiting` for the upload, `running`, and its two ends. */
export type ImportState = 'waiting' | 'running' | 'done' | 'failed';

/** How an uploaded file is packed; told by its first bytes where nobody said. */
export type ImportEncoding = 'identity' | 'gzip' | 'zstd';

/** How far an import has come, and what became of what it read. All of it is as of the end of one and the same block of lines. */
export interface ImportTally {
  /** Of the text, decompressed: where the next run goes on. */
  readonly textBytes: number;
  /** Of the uploaded object, at most `totalBytes`. */
  readonly objectBytes: number;
  /** Size of the object; 0 while nobody has seen it. */
  readonly totalBytes: number;
  readonly lines: number;
  /** Samples taken. */
  readonly accepted: number;
  /** Lines of which something was left out for what they say. */
  readonly rejectedLines: number;
  /** The first of them. */
  readonly reported: readonly RejectedLine[];
  /** Everything that was left out, by reason. */
  readonly rejections: readonly Rejection[];
}

/** One import, as the table has it. */
export interface ImportRecord {
  readonly tenant: string;
  readonly id: string;
  readonly state: ImportState;
  readonly format: ImportFormat;
  /** For influx. */
  readonly precision: InfluxPrecision | undefined;
  /** What the client said of it. */
  readonly encoding: ImportEncoding | undefined;
  readonly createdAtMs: number;
  /** Fixed by the first run; the time of samples that carry none. */
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  /** Whose turn it is, and until when; see import-lease.ts. */
  readonly owner: string | undefined;
  readonly leaseUntilMs: number | undefined;
  /** The owner that last gave up its turn of its own accord. */
  readonly releasedBy: string | undefined;
  /** Runs that ended in an error since the last block that was taken. */
  readonly failures: number;
  /** The last error: the reason of a failure, or of a delay. */
  readonly error: string | undefined;
  readonly tally: ImportTally;
}

const PREFIX = 'imports/';
const MAX_TEXT = 250;

/** The blob key that an import's file is uploaded to. */
export function importObjectKey({ tenant, id }: { tenant: string; id: string }): string {
  return `${PREFIX}${tenant}/${id}`;
}

/** The import that an object belongs to; undefined for objects that are no import's. */
export function importOfObject(key: string): { tenant: string; id: string } | undefined {
  const [, tenant, id, ...rest] = key.startsWith(PREFIX) ? key.split('/') : [];
  return tenant && id && rest.length === 0 ? { tenant, id } : undefined;
}

/** Where the table keeps an import: a tenant's own are a partition. */
export function importItemKey({ tenant, id }: { tenant: string; id: string }): ItemKey {
  return { pk: `import/${tenant}`, sk: id };
}

/** The attributes of a tally. Messages are cut, so that an item stays small whatever a file says. */
export function tallyAttributes(tally: ImportTally): Record<string, Attribute> {
  const { reported, rejections, ...counts } = tally;
  const cut = <T extends { readonly message: string }>(entry: T) => ({
    ...entry,
    message: entry.message.toWellFormed().slice(0, MAX_TEXT),
  });
  return { ...counts, reported: JSON.stringify(reported.map(cut)), rejections: JSON.stringify(rejections.map(cut)) };
}

/** A message as an item may hold it. */
export function errorAttribute(message: string): string {
  return message.toWellFormed().slice(0, 4 * MAX_TEXT);
}

/** The import of a table item. */
export function recordOf(tenant: string, item: Item): ImportRecord {
  return {
    tenant,
    id: item.sk,
    state: item.state as ImportState,
    format: item.format as ImportFormat,
    precision: item.precision as InfluxPrecision | undefined,
    encoding: item.encoding as ImportEncoding | undefined,
    createdAtMs: Number(item.createdAtMs),
    startedAtMs: item.startedAtMs as number | undefined,
    finishedAtMs: item.finishedAtMs as number | undefined,
    owner: item.owner as string | undefined,
    leaseUntilMs: item.leaseUntilMs as number | undefined,
    releasedBy: item.releasedBy as string | undefined,
    failures: Number(item.failures ?? 0),
    error: item.error as string | undefined,
    tally: tallyOf(item),
  };
}

function tallyOf(item: Item): ImportTally {
  const count = (name: keyof ImportTally) => Number(item[name] ?? 0);
  return {
    textBytes: count('textBytes'),
    objectBytes: count('objectBytes'),
    totalBytes: count('totalBytes'),
    lines: count('lines'),
    accepted: count('accepted'),
    rejectedLines: count('rejectedLines'),
    reported: JSON.parse((item.reported as string | undefined) ?? '[]'),
    rejections: JSON.parse((item.rejections as string | undefined) ?? '[]'),
  };
}

/** What there is to say where a tenant has no such import; another tenant's is none either. */
export function noSuchImport(id: string): OpsError {
  return new OpsError('missing', `there is no import ${JSON.stringify(id.slice(0, 80))}`, {
    hint: 'Imports are kept for 30 days. POST /api/v1/import/uploads begins one.',
  });
}
