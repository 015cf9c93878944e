import { packJson, unpackJson, withEnd } from '#alerts/packed-bytes.ts';
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
  /** Inbox entries that are in it already, as far as they may still be in the inbox. */
  readonly taken: readonly string[];
}

export const EMPTY_BOOK: AlertBook = { configId: '', alerts: new Map(), groups: [], taken: [] };

const VERSION = 1;

/** The bytes of a book; an end that never comes is null in them. */
export function encodeBook({ configId, alerts, groups, taken }: AlertBook): Uint8Array {
  return packJson({ v: VERSION, configId, alerts: [...alerts], groups, taken } satisfies PackedBook);
}

/** The book of `encodeBook`'s bytes; `unavailable` for any others. */
export function decodeBook(bytes: Uint8Array): AlertBook {
  return unpackJson(bytes, 'the alert book', ({ v, configId, alerts, groups, taken }: PackedBook) => {
    if (v !== VERSION) throw new OpsError('unavailable', `the alert book has version ${v}, not ${VERSION}`);
    return { configId, alerts: new Map(alerts.map(([fingerprint, alert]) => [fingerprint, withEnd(alert)])), groups, taken };
  });
}

interface PackedBook extends Omit<AlertBook, 'alerts'> {
  readonly v: number;
  readonly alerts: readonly (readonly [string, ReceivedAlert])[];
}
