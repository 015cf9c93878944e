import { createHash } from 'node:crypto';
import type { NotificationAlert, NotificationData } from '#alerts/template/notification-data.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Alert, LabelSet } from '#model/alert.ts';

/** An alert with its identity, 16 hex digits over its labels. */
export interface NotifiedAlert extends Alert {
  readonly fingerprint: string;
}

/** What is to be told to one receiver about one group. */
export interface Notification {
  readonly tenant: string;
  /** Name of the receiver. */
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: LabelSet;
  /** In the order in which they are told; at least one. */
  readonly alerts: readonly NotifiedAlert[];
  readonly externalUrl: string;
  /** When it was decided: what had ended by then is resolved. The same at every try. */
  readonly atMs: number;
  /** Of this delivery, the same at every try. */
  readonly idempotencyKey: string;
}

/** The data of a notification, or of some of its alerts: what they have in common is then over those. */
export function describeNotification(notification: Notification, told: readonly NotifiedAlert[] = notification.alerts): NotificationData {
  const alerts = told.map((alert) => describeAlert(alert, notification.atMs));
  return {
    // Alertmanager quotes the name as for a regular expression; who compares it has learned that.
    receiver: notification.receiver.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    alerts,
    groupLabels: sortByName(notification.groupLabels),
    commonLabels: findCommon(told.map(({ labels }) => labels)),
    commonAnnotations: findCommon(told.map(({ annotations }) => annotations)),
    externalUrl: notification.externalUrl,
  };
}

/** True if it had ended when the notification was decided. */
export function hasEnded(alert: NotifiedAlert, atMs: number): boolean {
  return alert.endsAtMs <= atMs;
}

/** An alert as templates see it, as of a time. */
export function describeAlert(alert: NotifiedAlert, atMs: number): NotificationAlert {
  const ended = hasEnded(alert, atMs);
  return {
    status: ended ? 'resolved' : 'firing',
    labels: sortByName(alert.labels),
    annotations: sortByName(alert.annotations),
    startsAtMs: alert.startsAtMs,
    endsAtMs: ended ? alert.endsAtMs : undefined,
    generatorUrl: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** The data under the names of Alertmanager's JSON. */
export function toWebhookData({ alerts, externalUrl, ...data }: NotificationData) {
  return {
    ...data,
    externalURL: externalUrl,
    alerts: alerts.map(toWebhookAlert),
  };
}

/** An alert under the names of Alertmanager's JSON. */
export function toWebhookAlert({ startsAtMs, endsAtMs, generatorUrl, ...alert }: NotificationAlert) {
  return {
    ...alert,
    startsAt: formatTime(startsAtMs),
    endsAt: endsAtMs === undefined ? NEVER : formatTime(endsAtMs),
    generatorURL: generatorUrl,
  };
}

/** What Go writes for no time at all. */
const NEVER = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC with as many decimals as there are, which is how Go's JSON has times. */
function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, 'Z');
}

function sortByName(labels: LabelSet): LabelSet {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b)));
}

function findCommon(sets: readonly LabelSet[]): LabelSet {
  const [first = {}, ...others] = sets;
  return sortByName(Object.fromEntries(Object.entries(first).filter(([name, value]) => others.every((set) => set[name] === value))));
}

/** SHA-256 in hex: group keys are of any length, and what receivers take as a key is not. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
