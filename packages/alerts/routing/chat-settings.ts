import { faults, flag, list, optionalFlag, secret, secretUrl, settings, text, url } from './config-fields.ts';
import { httpSettings } from './http-settings.ts';

const template = (kind: string, name: string) => text(`{{ template "${kind}.default.${name}" . }}`);
const http = { http_config: httpSettings.optional() };

const rocketchatField = settings('rocketchat.RocketchatAttachmentField', { short: optionalFlag(), title: text(), value: text() });
const rocketchatAction = settings('rocketchat.RocketchatAttachmentAction', {
  type: text(),
  text: text(),
  url: text(),
  imageurl: text(),
  iswebview: flag(),
  webviewheightratio: text(),
  msg: text(),
  msginchatwindow: flag(),
  msgprocessingtype: text(),
});

/** Settings of Rocket.Chat. */
export const rocketchat = settings('rocketchat.plain', {
  send_resolved: flag(),
  ...http,
  api_url: url(),
  token_id: secret(),
  token_id_file: text(),
  token: secret(),
  token_file: text(),
  channel: text(),
  color: text('{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
  title: template('rocketchat', 'title'),
  title_link: template('rocketchat', 'titlelink'),
  text: template('rocketchat', 'text'),
  fields: list(rocketchatField, '*rocketchat.RocketchatAttachmentField').default([]),
  short_fields: flag(),
  emoji: template('rocketchat', 'emoji'),
  icon_url: template('rocketchat', 'iconurl'),
  image_url: text(),
  thumb_url: text(),
  link_names: flag(),
  actions: list(rocketchatAction, '*rocketchat.RocketchatAttachmentAction').default([]),
}).superRefine(
  faults<{ token?: unknown; token_file: string; token_id?: unknown; token_id_file: string }>(
    [(c) => c.token && c.token_file, 'at most one of token & token_file must be configured'],
    [(c) => c.token_id && c.token_id_file, 'at most one of token_id & token_id_file must be configured'],
  ),
);

const mattermostField = settings('mattermost.plain', { title: text(), value: text(), short: optionalFlag() }).superRefine(
  faults<{ title: string; value: string }>(
    [(c) => c.title === '', 'missing title in Mattermost field configuration'],
    [(c) => c.value === '', 'missing value in Mattermost field configuration'],
  ),
);

const mattermostFields = {
  pretext: text(),
  author_name: text(),
  author_link: text(),
  author_icon: text(),
  fields: list(mattermostField, '*mattermost.MattermostField').default([]),
  thumb_url: text(),
  footer: text(),
  footer_icon: text(),
  image_url: text(),
};

/** Settings of Mattermost. */
export const mattermost = settings('mattermost.plain', {
  send_resolved: flag(true),
  ...http,
  webhook_url: secretUrl(),
  webhook_url_file: text(),
  channel: text(),
  username: template('mattermost', 'username'),
  text: template('mattermost', 'text'),
  fallback: template('mattermost', 'fallback'),
  color: template('mattermost', 'color'),
  title: template('mattermost', 'title'),
  title_link: template('mattermost', 'titlelink'),
  ...mattermostFields,
  icon_url: text(),
  icon_emoji: text(),
  attachments: list(
    settings('mattermost.MattermostAttachment', {
      fallback: text(),
      color: text(),
      text: text(),
      title: text(),
      title_link: text(),
      ...mattermostFields,
    }),
    '*mattermost.MattermostAttachment',
  ).default([]),
  type: text(),
  props: settings('mattermost.MattermostProps', { card: text() }).optional(),
  priority: settings('mattermost.MattermostPriority', {
    priority: text(),
    requested_ack: flag(),
    persistent_notifications: flag(),
  }).optional(),
}).superRefine(
  faults<{ webhook_url?: unknown; webhook_url_file: string }>([
    (c) => c.webhook_url && c.webhook_url_file,
    'at most one of webhook_url & webhook_url_file must be configured',
  ]),
);
