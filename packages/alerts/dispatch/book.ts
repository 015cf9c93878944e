import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import type { NotificationEntry } from '#alerts/routing/notification.ts';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';

/** Alerts of one route that are told together, and when they are looked at next. */
export interface BookGroup {
  /** The route's key and the group's labels. */
  readonly key: string;
  readonly routeId: string;
  readonly receiver: string;
  readonly labels: LabelSet;
  readonly nextFlushMs: number;
  /** Fingerprints. */
  readonly alerts: readonly string[];
  /** What each integration of the receiver was told last, by its id. */
  readonly told: Readonly<Record<string, NotificationEntry>>;
}

/** Everything that is held of a tenant's alerts: what Alertmanager has in memory. */
export interface AlertBook {
  /** Of the configuration that the groups are made by. */
  readonly configId: string;
  /** By fingerprint. */
  readonly alerts: ReadonlyMap<string, ReceivedAlert>;
  readonly groups: readonly BookGroup[];
}

export const EMPTY_BOOK: AlertBook = { configId: '', alerts: new Map(), groups: [] };

const VERSION = 1;
const MAX_BYTES = 1024 * 1024 * 1024;

/** The bytes of a book: zstd of JSON; an end that never comes is null. */
export function encodeBook({ configId, alerts, groups }: AlertBook): Uint8Array {
  const json = JSON.stringify({ v: VERSION, configId, alerts: [...alerts], groups });
  return zstdCompressSync(json, { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } });
}

/** The book of `encodeBook`'s bytes; `unavailable` for any others. */
export function decodeBook(bytes: Uint8Array): AlertBook {
  let read: { v: number; configId: string; alerts: [string, ReceivedAlert][]; groups: BookGroup[] };
  try {
    read = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8'));
  } catch (cause) {
    throw new OpsError('unavailable', 'the alert book is damaged', { cause });
  }
  if (read.v !== VERSION) throw new OpsError('unavailable', `the alert book has version ${read.v}, not ${VERSION}`);
  for (const entry of read.alerts) {
    if (entry[1].endsAtMs === null) entry[1] = { ...entry[1], endsAtMs: Number.POSITIVE_INFINITY };
  }
  return { configId: read.configId, alerts: new Map(read.alerts), groups: read.groups };
}
