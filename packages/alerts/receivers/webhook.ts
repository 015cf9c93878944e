import { OpsError } from '#core/errors.ts';
import { type Composing, renderOver, type Sending } from './composing.ts';
import { createRequest } from './http-request.ts';
import { describeNotification, toWebhookData } from './notification.ts';
import { renderDeep } from './render-deep.ts';
import type { WebhookConfig } from './settings.ts';

/** Alertmanager's payload version 4, or the one configured. The header Idempotency-Key is ours: the same at every try. */
export async function composeWebhook(settings: WebhookConfig, composing: Composing): Promise<Sending[]> {
  const { notification, createRenderer, revealer } = composing;
  const max = settings.max_alerts || notification.alerts.length;
  const told = notification.alerts.slice(0, max);
  const data = describeNotification(notification, told);
  const { text } = told.length === notification.alerts.length ? composing : renderOver(createRenderer, data);
  const url = revealer.hide(await text(revealer.reveal(settings.url)));
  if (url === '') throw new OpsError('input', 'the URL of the webhook is empty');
  const truncatedAlerts = notification.alerts.length - told.length;
  const message = { ...toWebhookData(data), version: '4', groupKey: notification.groupKey, truncatedAlerts };
  const body = settings.payload === undefined || settings.payload === null ? message : await renderDeep(text, settings.payload);
  const headers = { 'idempotency-key': notification.idempotencyKey };
  return [{ via: 'outgoing', request: createRequest({ url, body, headers }, settings, revealer) }];
}
