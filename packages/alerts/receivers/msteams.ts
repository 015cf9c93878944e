import { OpsError } from '#core/errors.ts';
import { type Composing, renderFields, type Sending } from './composing.ts';
import { createRequest } from './http-request.ts';
import type { MsteamsConfig } from './settings.ts';
import { truncateBytes } from './truncate.ts';

/** A connector card, for the older incoming webhooks of Teams. */
export function composeMsteams(settings: MsteamsConfig, composing: Composing): Promise<Sending[]> {
  return compose(settings, composing, ({ title, summary, text }, firing) => ({
    '@context': 'http://schema.org/extensions',
    type: 'MessageCard',
    title,
    summary,
    text,
    themeColor: firing ? '8C1A1A' : '2DC72D',
  }));
}

/** An adaptive card, for Teams' workflows. */
export function composeMsteamsV2(settings: MsteamsConfig, composing: Composing): Promise<Sending[]> {
  return compose(settings, composing, ({ title, text }, firing) => {
    const heading = { type: 'TextBlock', text: title, weight: 'Bolder', size: 'Medium', wrap: true, style: 'heading' };
    const content = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.2',
      body: [
        { ...heading, color: firing ? 'Attention' : 'Good' },
        { type: 'TextBlock', text, wrap: true },
      ],
      msteams: { width: 'full' },
    };
    return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }] };
  });
}

type Fields = Record<'title' | 'summary' | 'text', string>;

// What Teams takes; a message that is larger is refused as a whole.
const MAX_MESSAGE_BYTES = 28 * 1024;

async function compose(
  settings: MsteamsConfig,
  composing: Composing,
  toBody: (fields: Fields, firing: boolean) => object,
): Promise<Sending[]> {
  const { title, summary, text } = settings;
  const fields = await renderFields(composing.text, { title, summary, text });
  const firing = composing.data.status === 'firing';
  const body = fitText(fields, (fitting) => toBody(fitting, firing));
  const url = composing.revealer.reveal(settings.webhook_url).trim();
  if (url === '') throw new OpsError('input', 'a Teams receiver has no webhook_url');
  return [{ via: 'outgoing', request: createRequest({ url, body }, settings, composing.revealer) }];
}

/** Cuts the text until the message fits, by as much as JSON makes of it. */
function fitText(fields: Fields, toBody: (fields: Fields) => object): object {
  const sizeOf = (body: object) => Buffer.byteLength(JSON.stringify(body));
  const spaceBytes = MAX_MESSAGE_BYTES - sizeOf(toBody({ ...fields, text: '…' }));
  if (spaceBytes < 0) throw new OpsError('input', 'a message to Teams is larger than 28 KB even without its text');
  let body = toBody(fields);
  let kept = fields.text;
  while (sizeOf(body) > MAX_MESSAGE_BYTES) {
    const bytes = Buffer.byteLength(kept);
    const share = spaceBytes / (sizeOf(body) - MAX_MESSAGE_BYTES + spaceBytes);
    kept = truncateBytes(kept, Math.min(bytes - 1, Math.floor(bytes * share)));
    body = toBody({ ...fields, text: `${kept}…` });
  }
  return body;
}
