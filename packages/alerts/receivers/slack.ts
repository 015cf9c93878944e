import { OpsError } from '#core/errors.ts';
import { type Composing, renderFields, type Sending } from './composing.ts';
import { createRequest } from './http-request.ts';
import type { SlackAction, SlackConfig } from './settings.ts';
import { omitEmpty, truncateCharacters } from './truncate.ts';

const POST_MESSAGE_URL = 'https://slack.com/api/chat.postMessage';
const MAX_TITLE = 1_024;

/** One message with one attachment, to an incoming webhook or, with an app's token, to chat.postMessage. */
export async function composeSlack(settings: SlackConfig, composing: Composing): Promise<Sending[]> {
  const { text, revealer } = composing;
  const message = await renderFields(text, {
    channel: settings.channel,
    username: settings.username,
    icon_emoji: settings.icon_emoji,
    icon_url: settings.icon_url,
    text: settings.message_text,
  });
  const body = { ...omitEmpty({ ...message, link_names: settings.link_names }), attachments: [await composeAttachment(settings, text)] };
  const token = revealer.reveal(settings.app_token).trim();
  const url = (settings.api_url && revealer.reveal(settings.api_url).trim()) || (token && (settings.app_url || POST_MESSAGE_URL));
  if (!url) throw new OpsError('input', 'a Slack receiver has neither api_url nor app_token');
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  return [{ via: 'outgoing', request: createRequest({ url, body, headers }, settings, revealer) }];
}

async function composeAttachment(settings: SlackConfig, text: Composing['text']) {
  const rendered = await renderFields(text, {
    title: settings.title,
    title_link: settings.title_link,
    pretext: settings.pretext,
    image_url: settings.image_url,
    thumb_url: settings.thumb_url,
    color: settings.color,
  });
  const fields: object[] = [];
  for (const { title, value, short } of settings.fields ?? []) {
    fields.push({ ...omitEmpty(await renderFields(text, { title, value })), short: short ?? settings.short_fields ?? false });
  }
  const actions: object[] = [];
  for (const action of settings.actions ?? []) actions.push(await composeAction(action, text));
  return {
    ...omitEmpty({ ...rendered, title: truncateCharacters(rendered.title, MAX_TITLE), fields, actions }),
    // Slack wants these even if they are empty.
    ...(await renderFields(text, {
      text: settings.text,
      fallback: settings.fallback,
      callback_id: settings.callback_id,
      footer: settings.footer,
    })),
    mrkdwn_in: settings.mrkdwn_in?.length ? settings.mrkdwn_in : ['fallback', 'pretext', 'text'],
  };
}

/** A button is a link, or it has a name and a value: never both. */
async function composeAction(action: SlackAction, text: Composing['text']): Promise<object> {
  const { type, text: label, style, url, name, value, confirm } = action;
  const button = { name: url ? undefined : name, value: url ? undefined : value };
  const rendered = omitEmpty(await renderFields(text, { type, text: label, url, style, ...button }));
  if (url || confirm === undefined) return rendered;
  const { text: question, title, ok_text, dismiss_text } = confirm;
  return { ...rendered, confirm: omitEmpty(await renderFields(text, { text: question, title, ok_text, dismiss_text })) };
}
