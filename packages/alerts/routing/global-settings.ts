import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { checkUrl, duration, faults, flag, hostPort, optionalFlag, refuse, secret, secretUrl, settings, text } from './config-fields.ts';
import { httpSettings, tlsSettings } from './http-settings.ts';
import { revealSecret } from './secret.ts';

const defaultHttp = httpSettings.parse({});

function address(fallback?: string) {
  return z
    .string()
    .transform((value, context) => {
      try {
        return checkUrl(value);
      } catch (error) {
        if (!(error instanceof OpsError)) throw error;
        refuse(context, error.message);
        return z.NEVER;
      }
    })
    .optional()
    .transform((value) => value ?? fallback);
}

/** What holds for all receivers unless they say otherwise, with Alertmanager's defaults. */
export const globalSettings = settings('config.plain', {
  resolve_timeout: duration().default(300_000),
  http_config: httpSettings.default(defaultHttp),
  jira_api_url: address(),
  smtp_from: text(),
  smtp_hello: text('localhost'),
  smtp_smarthost: hostPort(),
  smtp_auth_username: text(),
  smtp_auth_password: secret(),
  smtp_auth_password_file: text(),
  smtp_auth_secret: secret(),
  smtp_auth_secret_file: text(),
  smtp_auth_identity: text(),
  smtp_require_tls: flag(true),
  smtp_tls_config: tlsSettings.optional(),
  smtp_force_implicit_tls: optionalFlag(),
  slack_api_url: secretUrl(),
  slack_api_url_file: text(),
  slack_app_token: secret(),
  slack_app_token_file: text(),
  slack_app_url: address('https://slack.com/api/chat.postMessage'),
  pagerduty_url: address('https://events.pagerduty.com/v2/enqueue'),
  opsgenie_api_url: address('https://api.opsgenie.com/'),
  opsgenie_api_key: secret(),
  opsgenie_api_key_file: text(),
  wechat_api_url: address('https://qyapi.weixin.qq.com/cgi-bin/'),
  wechat_api_secret: secret(),
  wechat_api_secret_file: text(),
  wechat_api_corp_id: text(),
  victorops_api_url: address('https://alert.victorops.com/integrations/generic/20131114/alert/'),
  victorops_api_key: secret(),
  victorops_api_key_file: text(),
  telegram_api_url: address('https://api.telegram.org'),
  telegram_bot_token: secret(),
  telegram_bot_token_file: text(),
  webex_api_url: address('https://webexapis.com/v1/messages'),
  rocketchat_api_url: address('https://open.rocket.chat/'),
  rocketchat_token: secret(),
  rocketchat_token_file: text(),
  rocketchat_token_id: secret(),
  rocketchat_token_id_file: text(),
  mattermost_webhook_url: secretUrl(),
  mattermost_webhook_url_file: text(),
});

/** What holds for all receivers unless they say otherwise. */
export type GlobalSettings = z.infer<typeof globalSettings>;

const pair = (a: keyof GlobalSettings, b: keyof GlobalSettings) =>
  [(c: GlobalSettings) => c[a] && c[b], `at most one of ${a} & ${b} must be configured`] as const;

/** The rules among the global settings, checked after everything else was read. */
export const checkGlobals = faults<GlobalSettings>(
  pair('slack_app_token', 'slack_app_token_file'),
  pair('slack_api_url', 'slack_api_url_file'),
  [
    // an API address that is the app's own was the way before there were tokens
    (c) =>
      (c.slack_app_token || c.slack_app_token_file) &&
      (c.slack_api_url || c.slack_api_url_file) &&
      (c.slack_api_url && revealSecret(c.slack_api_url)) !== c.slack_app_url,
    'at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured',
  ],
  pair('opsgenie_api_key', 'opsgenie_api_key_file'),
  pair('victorops_api_key', 'victorops_api_key_file'),
  pair('telegram_bot_token', 'telegram_bot_token_file'),
  pair('smtp_auth_password', 'smtp_auth_password_file'),
  pair('rocketchat_token', 'rocketchat_token_file'),
  pair('rocketchat_token_id', 'rocketchat_token_id_file'),
  pair('smtp_auth_secret', 'smtp_auth_secret_file'),
  pair('wechat_api_secret', 'wechat_api_secret_file'),
  pair('mattermost_webhook_url', 'mattermost_webhook_url_file'),
);
