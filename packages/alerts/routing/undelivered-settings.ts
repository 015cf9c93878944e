import * as z from 'zod';
import { mattermost, rocketchat } from './chat-settings.ts';
import {
  anyMap,
  duration,
  faults,
  flag,
  goDuration,
  integer,
  optionalFlag,
  secret,
  secretUrl,
  settings,
  text,
  textMap,
  texts,
  url,
} from './config-fields.ts';
import { httpSettings } from './http-settings.ts';

/** Settings of Alertmanager's receivers that nothing is delivered to here: read, checked and told of. */

const template = (kind: string, name: string) => text(`{{ template "${kind}.default.${name}" . }}`);
const http = { http_config: httpSettings.optional() };

const discord = settings('discord.plain', {
  send_resolved: flag(true),
  ...http,
  webhook_url: secretUrl(),
  webhook_url_file: text(),
  content: text(),
  title: template('discord', 'title'),
  message: template('discord', 'message'),
  username: text(),
  avatar_url: text(),
}).superRefine(
  faults<{ webhook_url?: unknown; webhook_url_file: string }>(
    [(c) => !c.webhook_url && c.webhook_url_file === '', 'one of webhook_url or webhook_url_file must be configured'],
    [(c) => c.webhook_url && c.webhook_url_file !== '', 'at most one of webhook_url & webhook_url_file must be configured'],
  ),
);

const incidentioShape = settings('incidentio.plain', {
  send_resolved: flag(true),
  ...http,
  url: url(),
  url_file: text(),
  alert_source_token: secret(),
  alert_source_token_file: text(),
  max_alerts: integer(),
  timeout: goDuration(),
});

const incidentio = incidentioShape.superRefine(
  faults<z.infer<typeof incidentioShape>>(
    [(c) => !c.url && c.url_file === '', 'one of url or url_file must be configured'],
    [(c) => c.url && c.url_file !== '', 'at most one of url & url_file must be configured'],
    [
      (c) => c.alert_source_token && c.alert_source_token_file,
      'at most one of alert_source_token & alert_source_token_file must be configured',
    ],
    [
      (c) => c.http_config?.authorization && (c.alert_source_token || c.alert_source_token_file),
      'cannot specify alert_source_token or alert_source_token_file when using http_config.authorization',
    ],
    [
      (c) => c.http_config && !c.http_config.authorization && !c.alert_source_token && !c.alert_source_token_file,
      'at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured',
    ],
  ),
);

const wechat = settings('config.plain', {
  send_resolved: flag(),
  ...http,
  api_secret: secret(),
  api_secret_file: text(),
  corp_id: text(),
  message: template('wechat', 'message'),
  api_url: url(),
  to_user: template('wechat', 'to_user'),
  to_party: template('wechat', 'to_party'),
  to_tag: template('wechat', 'to_tag'),
  agent_id: template('wechat', 'agent_id'),
  message_type: text(),
}).superRefine(
  faults<{ message_type: string; api_secret?: unknown; api_secret_file: string }>(
    [
      (c) => !['', 'text', 'markdown'].includes(c.message_type),
      (c) => `weChat message type ${JSON.stringify(c.message_type)} does not match valid options ^(text|markdown)$`,
    ],
    [(c) => c.api_secret && c.api_secret_file, 'at most one of api_secret & api_secret_file must be configured'],
  ),
);

const pushoverShape = settings('pushover.plain', {
  send_resolved: flag(true),
  ...http,
  user_key: secret(),
  user_key_file: text(),
  token: secret(),
  token_file: text(),
  title: template('pushover', 'title'),
  message: template('pushover', 'message'),
  url: template('pushover', 'url'),
  url_title: text(),
  device: text(),
  sound: text(),
  priority: text('{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
  retry: goDuration(60_000),
  expire: goDuration(3_600_000),
  ttl: goDuration(),
  html: flag(),
  monospace: flag(),
});

const pushover = pushoverShape.superRefine(
  faults<z.infer<typeof pushoverShape>>(
    [(c) => !c.user_key && !c.user_key_file, 'one of user_key or user_key_file must be configured'],
    [(c) => c.user_key && c.user_key_file, 'at most one of user_key & user_key_file must be configured'],
    [(c) => !c.token && !c.token_file, 'one of token or token_file must be configured'],
    [(c) => c.token && c.token_file, 'at most one of token & token_file must be configured'],
    [(c) => c.html && c.monospace, 'at most one of monospace & html must be configured'],
  ),
);

const reservedFields = 'routing_key message_type state_message entity_display_name monitoring_tool entity_id entity_state'.split(' ');

const victoropsShape = settings('config.plain', {
  send_resolved: flag(true),
  ...http,
  api_key: secret(),
  api_key_file: text(),
  api_url: url(),
  routing_key: text(),
  message_type: text('CRITICAL'),
  state_message: template('victorops', 'state_message'),
  entity_display_name: template('victorops', 'entity_display_name'),
  monitoring_tool: template('victorops', 'monitoring_tool'),
  custom_fields: textMap(),
});

const takenField = (c: z.infer<typeof victoropsShape>) => reservedFields.find((name) => Object.hasOwn(c.custom_fields, name));

const victorops = victoropsShape.superRefine(
  faults<z.infer<typeof victoropsShape>>(
    [(c) => c.routing_key === '', 'missing Routing key in VictorOps config'],
    [(c) => c.api_key && c.api_key_file, 'at most one of api_key & api_key_file must be configured'],
    [
      takenField,
      (c) => `victorOps config contains custom field ${takenField(c)} which cannot be used as it conflicts with the fixed/static fields`,
    ],
  ),
);

const telegramShape = settings('telegram.plain', {
  send_resolved: flag(true),
  ...http,
  api_url: url(),
  bot_token: secret(),
  bot_token_file: text(),
  chat_id: integer('int64'),
  chat_id_file: text(),
  message_thread_id: integer('int'),
  message: template('telegram', 'message'),
  disable_notifications: flag(),
  parse_mode: text('HTML'),
});

const telegram = telegramShape.superRefine(
  faults<z.infer<typeof telegramShape>>(
    [(c) => c.bot_token && c.bot_token_file, 'at most one of bot_token & bot_token_file must be configured'],
    [(c) => c.chat_id === 0 && !c.chat_id_file, 'missing chat_id or chat_id_file on telegram_config'],
    [(c) => c.chat_id !== 0 && c.chat_id_file, 'at most one of chat_id & chat_id_file must be configured'],
    [
      (c) => !['', 'Markdown', 'MarkdownV2', 'HTML'].includes(c.parse_mode),
      'unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string',
    ],
  ),
);

const webexShape = settings('config.plain', {
  send_resolved: flag(true),
  ...http,
  api_url: url(),
  message: template('webex', 'message'),
  room_id: text(),
});

const webex = webexShape.superRefine(
  faults<z.infer<typeof webexShape>>(
    [(c) => c.room_id === '', 'missing room_id on webex_config'],
    [(c) => !c.http_config?.authorization, 'missing webex_configs.http_config.authorization'],
  ),
);

/** A text alone is its template. */
const jiraField = (name: string) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? { template: value } : value),
    settings('jira.plain', { template: template('jira', name), enable_update: optionalFlag() }),
  );

const jiraShape = settings('jira.plain', {
  send_resolved: flag(true),
  ...http,
  api_url: url(),
  api_type: text('auto'),
  project: text(),
  summary: jiraField('summary').optional(),
  description: jiraField('description').optional(),
  labels: texts(),
  priority: template('jira', 'priority'),
  issue_type: text(),
  reopen_transition: text(),
  resolve_transition: text(),
  wont_fix_resolution: text(),
  reopen_duration: duration().optional(),
  fields: anyMap(),
});

const jira = jiraShape.superRefine(
  faults<z.infer<typeof jiraShape>>(
    [(c) => c.project === '', 'missing project in jira_config'],
    [(c) => c.issue_type === '', 'missing issue_type in jira_config'],
    [(c) => !['auto', 'cloud', 'datacenter'].includes(c.api_type), 'unknown api_type on jira_config, must be auto, cloud or datacenter'],
  ),
);

/** The receivers that nothing is delivered to, by the field that lists them. */
export const undeliveredSettings = {
  discord_configs: discord,
  incidentio_configs: incidentio,
  wechat_configs: wechat,
  pushover_configs: pushover,
  victorops_configs: victorops,
  telegram_configs: telegram,
  webex_configs: webex,
  jira_configs: jira,
  rocketchat_configs: rocketchat,
  mattermost_configs: mattermost,
};
