import { OpsError } from '#core/errors.ts';
import { NotificationSent } from '#model/events.ts';
import { readAwsAccess } from './aws-access.ts';
import type { Composing, Sending } from './composing.ts';
import { toWebhookData } from './notification.ts';
import type { EventbridgeConfig } from './settings.ts';

// Of the 200 KB that an event may have; what is left is for the group's and common labels.
const MAX_ALERTS_BYTES = 150_000;

/** The event "Notification Sent", unless it is called otherwise, with as many alerts as fit. */
export function composeEventbridge(settings: EventbridgeConfig, { notification, data, revealer }: Composing): Sending[] {
  if (settings.event_bus_name === '') throw new OpsError('input', 'an EventBridge receiver has no event_bus_name');
  const webhook = toWebhookData(data);
  let bytes = 0;
  const alerts = webhook.alerts.filter((alert) => {
    bytes += Buffer.byteLength(JSON.stringify(alert));
    return bytes <= MAX_ALERTS_BYTES;
  });
  const detail = NotificationSent.parse({
    ...webhook,
    id: notification.idempotencyKey,
    tenant: notification.tenant,
    at: new Date(notification.atMs).toISOString(),
    receiver: notification.receiver,
    groupKey: notification.groupKey,
    alerts,
    truncatedAlerts: data.alerts.length - alerts.length,
  });
  const event = { source: settings.source || 'quarterdeck.alerts', detailType: settings.detail_type || 'Notification Sent', detail };
  const access = { ...readAwsAccess(settings.sigv4, revealer), ...(settings.region ? { region: settings.region } : {}) };
  return [{ via: 'events', event: { busName: settings.event_bus_name, event, access } }];
}
