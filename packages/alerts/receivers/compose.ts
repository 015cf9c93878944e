import { isOpsError, OpsError } from '#core/errors.ts';
import { type Composing, type CreateRenderer, renderOver, type Sending } from './composing.ts';
import { composeEmail } from './email.ts';
import { composeEventbridge } from './eventbridge.ts';
import { composeMsteams, composeMsteamsV2 } from './msteams.ts';
import { describeNotification, hasEnded, type Notification } from './notification.ts';
import { composeOpsgenie } from './opsgenie.ts';
import { composePagerduty } from './pagerduty.ts';
import { createRevealer, redact } from './redact.ts';
import type { ReceiverSettings } from './settings.ts';
import { composeSlack } from './slack.ts';
import { composeSns } from './sns.ts';
import { composeWebhook } from './webhook.ts';

/** A notification in a receiver's form. Holds secrets: it is made just before it is sent, and kept nowhere. */
export interface Composed {
  readonly kind: ReceiverSettings['kind'];
  /** Sent in order; the delivery is done when all are. */
  readonly sendings: readonly Sending[];
  /** What no message may tell. */
  readonly secrets: readonly string[];
}

/**
 * What is sent to one integration of a receiver. Pure but for the renderer. `input` for a setting that is missing, is not honoured, or
 * whose template fails: no try will mend it. No message tells a secret. Nothing is sent of a group that has only ended alerts to one
 * who is not told of those.
 */
export async function composeNotification(
  receiver: ReceiverSettings,
  decided: Notification,
  createRenderer: CreateRenderer,
): Promise<Composed> {
  const notification = leaveOutResolved(receiver, decided);
  if (notification.alerts.length === 0) return { kind: receiver.kind, sendings: [], secrets: [] };
  const data = describeNotification(notification);
  const revealer = createRevealer();
  try {
    refuseReferences(receiver.settings);
    const sendings = await compose(receiver, { notification, data, revealer, createRenderer, ...renderOver(createRenderer, data) });
    return { kind: receiver.kind, sendings, secrets: revealer.revealed };
  } catch (error) {
    if (!isOpsError(error)) throw error;
    const { kind, hint, retryAfterMs } = error;
    throw new OpsError(kind, `${receiver.kind}: ${redact(error.message, revealer.revealed)}`, { hint, retryAfterMs });
  }
}

/** As Alertmanager does it: without `send_resolved` the alerts that have ended are not told of. */
function leaveOutResolved({ settings }: ReceiverSettings, notification: Notification): Notification {
  if (settings.send_resolved !== false) return notification;
  return { ...notification, alerts: notification.alerts.filter((alert) => !hasEnded(alert, notification.atMs)) };
}

// These are the user's own, whatever they are called.
const free = new Set(['payload', 'details', 'headers', 'attributes', 'endpoint_params']);

/** Files and references to secrets are of the machine that Alertmanager would run on: what is sent without them would be refused. */
function refuseReferences(settings: object, path = ''): void {
  for (const [name, value] of Object.entries(settings)) {
    const isReference = /_(file|ref)$/.test(name) || name === 'files';
    if (isReference && value?.length > 0) {
      throw new OpsError('input', `${path}${name} is not read here`, { hint: 'Set the value itself.' });
    }
    if (typeof value === 'object' && value !== null && !free.has(name)) refuseReferences(value as object, `${path}${name}.`);
  }
}

async function compose(receiver: ReceiverSettings, composing: Composing): Promise<Sending[]> {
  switch (receiver.kind) {
    case 'webhook':
      return composeWebhook(receiver.settings, composing);
    case 'slack':
      return composeSlack(receiver.settings, composing);
    case 'pagerduty':
      return composePagerduty(receiver.settings, composing);
    case 'opsgenie':
      return composeOpsgenie(receiver.settings, composing);
    case 'msteams':
      return composeMsteams(receiver.settings, composing);
    case 'msteamsv2':
      return composeMsteamsV2(receiver.settings, composing);
    case 'email':
      return composeEmail(receiver.settings, composing);
    case 'sns':
      return composeSns(receiver.settings, composing);
    case 'eventbridge':
      return composeEventbridge(receiver.settings, composing);
  }
}
