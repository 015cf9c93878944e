import { NotificationSent } from '#model/events.ts';
import type { Composing, Sending } from './composing.ts';

// Of the 200 KB that an event may have; what is left is for the group's and common labels.
const MAX_ALERTS_BYTES = 150_000;

/** The event "Notification Sent", with as many alerts as fit. */
export function composeEventbridge({ notification, data }: Composing): Sending[] {
  let bytes = 0;
  const alerts = data.alerts.filter((alert) => {
    bytes += Buffer.byteLength(JSON.stringify(alert));
    return bytes <= MAX_ALERTS_BYTES;
  });
  const detail = NotificationSent.parse({
    id: notification.idempotencyKey,
    tenant: notification.tenant,
    at: new Date(notification.atMs).toISOString(),
    ...data,
    receiver: notification.receiver,
    groupKey: notification.groupKey,
    alerts,
    truncatedAlerts: data.alerts.length - alerts.length,
  });
  return [{ via: 'bus', event: { source: 'quarterdeck.alerts', detailType: 'Notification Sent', detail } }];
}
