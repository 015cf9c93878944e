import type * as z from 'zod';
import { faults, flag, goDuration, list, optionalFlag, secret, secretUrl, settings, text, texts, url } from './config-fields.ts';
import { httpSettings } from './http-settings.ts';
import { revealSecret } from './secret.ts';

const template = (name: string) => text(`{{ template "slack.default.${name}" . }}`);

const slackConfirm = settings('config.plain', { text: text(), title: text(), ok_text: text(), dismiss_text: text() }).superRefine(
  faults<{ text: string }>([(c) => c.text === '', 'missing text in Slack confirmation configuration']),
);

const slackActionShape = settings('config.plain', {
  type: text(),
  text: text(),
  url: text(),
  style: text(),
  name: text(),
  value: text(),
  confirm: slackConfirm.optional(),
});

const slackAction = slackActionShape
  .superRefine(
    faults<z.infer<typeof slackActionShape>>(
      [(c) => c.type === '', 'missing type in Slack action configuration'],
      [(c) => c.text === '', 'missing text in Slack action configuration'],
      [(c) => c.url === '' && c.name === '', 'missing name or url in Slack action configuration'],
    ),
  )
  .transform((action) => (action.url === '' ? action : { ...action, name: '', value: '', confirm: undefined }));

const slackField = settings('config.plain', { title: text(), value: text(), short: optionalFlag() }).superRefine(
  faults<{ title: string; value: string }>(
    [(c) => c.title === '', 'missing title in Slack field configuration'],
    [(c) => c.value === '', 'missing value in Slack field configuration'],
  ),
);

/** The only address at which messages can be changed. */
const SLACK_POST = 'https://slack.com/api/chat.postMessage';

const slackShape = settings('config.plain', {
  send_resolved: flag(),
  http_config: httpSettings.optional(),
  api_url: secretUrl(),
  api_url_file: text(),
  app_token: secret(),
  app_token_file: text(),
  app_url: url(),
  channel: text(),
  username: template('username'),
  color: template('color'),
  title: template('title'),
  title_link: template('titlelink'),
  pretext: template('pretext'),
  text: template('text'),
  message_text: text(),
  fields: list(slackField, '*config.SlackField').default([]),
  short_fields: flag(),
  footer: template('footer'),
  fallback: template('fallback'),
  callback_id: template('callbackid'),
  icon_emoji: template('iconemoji'),
  icon_url: template('iconurl'),
  image_url: text(),
  thumb_url: text(),
  link_names: flag(),
  mrkdwn_in: texts(),
  actions: list(slackAction, '*config.SlackAction').default([]),
  update_message: flag(),
  timeout: goDuration(),
});

/** Settings of Slack. */
export const slack = slackShape.superRefine(
  faults<z.infer<typeof slackShape>>(
    [(c) => c.api_url && c.api_url_file, 'at most one of api_url & api_url_file must be configured'],
    [(c) => c.app_token && c.app_token_file, 'at most one of app_token & app_token_file must be configured'],
    [
      (c) => (c.api_url || c.api_url_file) && (c.app_token || c.app_token_file),
      'at most one of api_url/api_url_file & app_token/app_token_file must be configured',
    ],
    [
      (c) => c.update_message && !(c.api_url && revealSecret(c.api_url) === SLACK_POST),
      `update_message can only be used with bot tokens. api_url must be set to ${SLACK_POST}`,
    ],
  ),
);
