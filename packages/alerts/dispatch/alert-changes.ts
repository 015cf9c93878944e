import { describeAlert, toWebhookAlert } from '#alerts/receivers/notification.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import type { Alert } from '#model/alert.ts';
import type { AlertsChanged } from '#model/events.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { AlertBook } from './book.ts';

/** An alert that began to fire, or ended, by what is in the book. */
export interface AlertStep {
  readonly fingerprint: string;
  readonly status: 'firing' | 'resolved';
  readonly alert: Alert;
}

// Of the 200 KB that an event may have; an item of the outbox is billed by its size.
const MAX_ALERTS_BYTES = 64_000;

/**
 * Which alerts began and which ended between two books. One that ends because nobody tells it any more has ended when it leaves the book,
 * which is with the next flush of its group: so each end is found once.
 */
export function findChanges(before: AlertBook, after: AlertBook, told: readonly ReceivedAlert[], nowMs: number): AlertStep[] {
  const last = new Map(told.map((alert) => [fingerprintLabels(alert.labels), alert]));
  const steps: AlertStep[] = [];
  for (const [fingerprint, alert] of after.alerts) {
    if (!isToldEnded(alert) && isOver(before.alerts.get(fingerprint))) steps.push({ fingerprint, status: 'firing', alert });
  }
  for (const [fingerprint, held] of before.alerts) {
    const alert = after.alerts.get(fingerprint);
    if (isOver(held) || (alert && !isToldEnded(alert))) continue;
    const ended = alert ?? last.get(fingerprint) ?? held;
    steps.push({ fingerprint, status: 'resolved', alert: { ...ended, endsAtMs: Math.min(ended.endsAtMs, nowMs) } });
  }
  return steps;
}

function isOver(alert: ReceivedAlert | undefined): boolean {
  return alert === undefined || isToldEnded(alert);
}

/** Its sender said that it has ended, whenever one looks. */
function isToldEnded({ endsAtMs, updatedAtMs }: Alert): boolean {
  return endsAtMs <= updatedAtMs;
}

/** The event "Alerts Changed", with as many alerts as fit. */
export function alertsChanged(id: string, tenant: string, steps: readonly AlertStep[], nowMs: number): BusEvent {
  const alerts: AlertsChanged['alerts'] = [];
  let bytes = 0;
  for (const { alert, fingerprint } of steps) {
    const told = toWebhookAlert(describeAlert({ ...alert, fingerprint }, nowMs));
    bytes += Buffer.byteLength(JSON.stringify(told));
    if (bytes > MAX_ALERTS_BYTES) break;
    alerts.push(told);
  }
  const detail: AlertsChanged = {
    ...{ id, tenant, at: new Date(nowMs).toISOString() },
    firing: steps.filter(({ status }) => status === 'firing').length,
    resolved: steps.filter(({ status }) => status === 'resolved').length,
    alerts,
    truncatedAlerts: steps.length - alerts.length,
  };
  return { source: 'quarterdeck.alerts', detailType: 'Alerts Changed', detail };
}
