import { isOpsError, OpsError } from '#core/errors.ts';
import type { Composing, Renderers, Sending } from './composing.ts';
import { composeEmail } from './email.ts';
import { composeEventbridge } from './eventbridge.ts';
import { composeMsteams, composeMsteamsV2 } from './msteams.ts';
import { describeNotification, type Notification } from './notification.ts';
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
 * What is sent to one integration of a receiver. Pure but for `render`. `input` for a setting that is missing, is not honoured, or
 * whose template fails: no try will mend it. No message tells a secret.
 */
export async function composeNotification(receiver: ReceiverSettings, notification: Notification, render: Renderers): Promise<Composed> {
  const data = describeNotification(notification);
  const revealer = createRevealer();
  const text = async (template: string | undefined) => (template ? render.text(template, data) : '');
  try {
    const sendings = await compose(receiver, { notification, data, revealer, render, text });
    return { kind: receiver.kind, sendings, secrets: revealer.revealed };
  } catch (error) {
    if (!isOpsError(error)) throw error;
    const { kind, hint, retryAfterMs } = error;
    throw new OpsError(kind, `${receiver.kind}: ${redact(error.message, revealer.revealed)}`, { hint, retryAfterMs });
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
      return composeEventbridge(composing);
  }
}
