import { composeNotification } from '#alerts/receivers/compose.ts';
import type { Sending } from '#alerts/receivers/composing.ts';
import type { Notification } from '#alerts/receivers/notification.ts';
import type { ReceiverSettings } from '#alerts/receivers/settings.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import type { OutgoingRequest } from '#ports/outgoing.ts';
import { createRenderer, notificationOf } from './notifications.ts';

/** The one thing that is sent, by the port that is meant. */
export async function sendingOf<V extends Sending['via']>(via: V, receiver: ReceiverSettings, notification = notificationOf()) {
  const { sendings } = await composeNotification(receiver, notification, createRenderer);
  const [sending] = sendings;
  if (sendings.length !== 1 || sending?.via !== via) throw new Error(`${sendings.length} sendings by ${sending?.via}`);
  return sending as Extract<Sending, { via: V }>;
}

/** All requests of a receiver that is reached by HTTP. */
export async function requestsOf(receiver: ReceiverSettings, notification: Notification = notificationOf()): Promise<OutgoingRequest[]> {
  const { sendings } = await composeNotification(receiver, notification, createRenderer);
  return sendings.map((sending) => {
    if (sending.via !== 'outgoing') throw new Error(sending.via);
    return sending.request;
  });
}
/** What is sent to one, as JSON. */
export const bodyOf = async (receiver: ReceiverSettings, notification?: Notification) =>
  JSON.parse((await requestsOf(receiver, notification))[0]?.body ?? '') as Record<string, unknown>;

/** Settings with what tests do not care about. */
export const webhook = (given = {}): ReceiverSettings => ({
  kind: 'webhook',
  settings: { url: createSecret('https://hooks.test/x'), ...given },
});
/** Settings with what tests do not care about. */
export const slack = (given = {}): ReceiverSettings => ({
  kind: 'slack',
  settings: { api_url: createSecret('https://slack.test/a'), ...given },
});
/** Settings with what tests do not care about. */
export const pagerduty = (given = {}): ReceiverSettings => ({
  kind: 'pagerduty',
  settings: { routing_key: createSecret('key'), ...given },
});
/** Settings with what tests do not care about. */
export const opsgenie = (given = {}): ReceiverSettings => ({ kind: 'opsgenie', settings: { api_key: createSecret('key'), ...given } });
