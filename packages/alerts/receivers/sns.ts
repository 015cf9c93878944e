import { OpsError } from '#core/errors.ts';
import { readAwsAccess } from './aws-access.ts';
import { type Composing, renderFields, type Sending } from './composing.ts';
import { hashKey } from './notification.ts';
import type { SnsConfig } from './settings.ts';
import { truncateBytes, truncateCharacters } from './truncate.ts';

// SNS counts attributes too; 1,600 characters is what it takes of an SMS.
const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_SMS_CHARACTERS = 1_600;
const MAX_SUBJECT = 100;

/** One message. On a FIFO topic the group is the alert group's, and the deduplication id the delivery's. */
export async function composeSns(settings: SnsConfig, composing: Composing): Promise<Sending[]> {
  const { text, notification } = composing;
  const target = await renderFields(text, {
    topicArn: settings.topic_arn,
    targetArn: settings.target_arn,
    phoneNumber: settings.phone_number,
  });
  const named = Object.fromEntries(Object.entries(target).filter(([, value]) => value !== ''));
  if (Object.keys(named).length !== 1) throw new OpsError('input', 'an SNS receiver has one of topic_arn, target_arn and phone_number');
  const attributes = await renderAttributes(settings, text);
  const whole = await text(settings.message);
  const message = fitMessage(whole, target.phoneNumber !== '', attributes);
  const fifo = { groupId: hashKey(notification.groupKey), deduplicationId: hashKey(notification.idempotencyKey) };
  return [
    {
      via: 'topics',
      message: {
        ...named,
        subject: truncateCharacters(toAscii(await text(settings.subject)), MAX_SUBJECT).replace('…', '~'),
        message,
        attributes: message === whole ? attributes : { ...attributes, truncated: 'true' },
        fifo: target.topicArn.endsWith('.fifo') ? fifo : undefined,
        access: { ...readAwsAccess(settings.sigv4, composing.revealer), endpoint: (await text(settings.api_url)) || undefined },
      },
    },
  ];
}

/** SNS refuses a subject with anything but printable ASCII on one line. */
function toAscii(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[^\x20-\x7e]/gu, '?');
}

async function renderAttributes({ attributes = {} }: SnsConfig, text: Composing['text']): Promise<Record<string, string>> {
  const rendered: [string, string][] = [];
  for (const [name, value] of Object.entries(attributes)) rendered.push([await text(name), await text(value)]);
  return Object.fromEntries(rendered);
}

function fitMessage(message: string, sms: boolean, attributes: Readonly<Record<string, string>>): string {
  if (message === '') throw new OpsError('input', 'the message of an SNS receiver is empty');
  if (sms) return truncateCharacters(message, MAX_SMS_CHARACTERS);
  // Name, type and value of each attribute count, and so does the mark of a message that was cut.
  const all = Object.entries({ ...attributes, truncated: 'true' });
  const attributeBytes = all.reduce((sum, [name, value]) => sum + Buffer.byteLength(`${name}String${value}`), 0);
  return truncateBytes(message, Math.max(1, MAX_MESSAGE_BYTES - attributeBytes));
}
