import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { GlobalSettings } from './global-settings.ts';
import { bearerAuthorization } from './http-settings.ts';
import { deliveredSettings } from './receiver-settings.ts';
import { createSecret } from './secret.ts';
import { undeliveredSettings } from './undelivered-settings.ts';

/** All kinds of integrations, in no particular order. */
export const integrationSettings = { ...deliveredSettings, ...undeliveredSettings };

export type IntegrationKind = keyof typeof integrationSettings;
type Written<K extends IntegrationKind> = z.infer<(typeof integrationSettings)[K]>;

function need<T>(value: T, message: string): NonNullable<T> {
  if (value === undefined || value === null || value === '') throw new OpsError('input', message);
  return value;
}

function withHttp<T extends { http_config?: GlobalSettings['http_config'] | undefined }>(c: T, g: GlobalSettings) {
  return { ...c, http_config: c.http_config ?? g.http_config };
}

/** An address whose path ends with a slash. */
function folder(address: string): string {
  const parsed = new URL(address);
  if (!parsed.pathname.endsWith('/')) parsed.pathname += '/';
  return parsed.href;
}

function resolveEmail(c: Written<'email_configs'>, g: GlobalSettings) {
  const ownPassword = c.auth_password || c.auth_password_file;
  const ownSecret = c.auth_secret || c.auth_secret_file;
  return {
    ...c,
    tls_config: c.tls_config ?? g.smtp_tls_config,
    smarthost: need(c.smarthost ?? g.smtp_smarthost, 'no global SMTP smarthost set'),
    from: need(c.from || g.smtp_from, 'no global SMTP from set'),
    hello: c.hello || g.smtp_hello,
    auth_username: c.auth_username || g.smtp_auth_username,
    auth_password: ownPassword ? c.auth_password : g.smtp_auth_password,
    auth_password_file: ownPassword ? c.auth_password_file : g.smtp_auth_password_file,
    auth_secret: ownSecret ? c.auth_secret : g.smtp_auth_secret,
    auth_secret_file: ownSecret ? c.auth_secret_file : g.smtp_auth_secret_file,
    auth_identity: c.auth_identity || g.smtp_auth_identity,
    require_tls: c.require_tls ?? g.smtp_require_tls,
    force_implicit_tls: c.force_implicit_tls ?? g.smtp_force_implicit_tls,
  };
}

/** With an app's token, the token is the authorization and messages go to the app's address. */
function resolveSlack(c: Written<'slack_configs'>, g: GlobalSettings) {
  const app_url = need(c.app_url ?? g.slack_app_url, 'no global Slack App URL set');
  const inherits = !c.app_token && !c.app_token_file && !c.http_config?.authorization && !c.api_url;
  const app_token = inherits ? g.slack_app_token : c.app_token;
  const app_token_file = inherits ? g.slack_app_token_file : c.app_token_file;
  const ownUrl = c.api_url || c.api_url_file;
  const api_url = ownUrl ? c.api_url : g.slack_api_url;
  const api_url_file = ownUrl ? c.api_url_file : g.slack_api_url_file;
  const resolved = { ...withHttp(c, g), app_url, app_token, app_token_file, api_url, api_url_file };
  if (!app_token && !app_token_file) {
    need(api_url ?? api_url_file, 'no Slack API URL nor App token set either inline or in a file');
    return resolved;
  }
  if (resolved.http_config.authorization) throw new OpsError('input', "http authorization can't be set when using Slack App tokens");
  const http_config = { ...resolved.http_config, authorization: bearerAuthorization(app_token, app_token_file) };
  return { ...resolved, http_config, api_url: createSecret(app_url) };
}

function resolvePagerduty(c: Written<'pagerduty_configs'>, g: GlobalSettings) {
  return { ...withHttp(c, g), url: need(c.url ?? g.pagerduty_url, 'no global PagerDuty URL set') };
}

function resolveOpsgenie(c: Written<'opsgenie_configs'>, g: GlobalSettings) {
  const api_url = folder(need(c.api_url ?? g.opsgenie_api_url, 'no global OpsGenie URL set'));
  const own = c.api_key || c.api_key_file;
  const api_key = own ? c.api_key : g.opsgenie_api_key;
  const api_key_file = own ? c.api_key_file : g.opsgenie_api_key_file;
  need(api_key ?? api_key_file, 'no global OpsGenie API Key set either inline or in a file');
  return { ...withHttp(c, g), api_url, api_key, api_key_file };
}

function resolveMsteamsV2(c: Written<'msteamsv2_configs'>, g: GlobalSettings) {
  const own = c.http_config;
  return { ...c, http_config: own ? { ...own, proxy_url: own.proxy_url || g.http_config.proxy_url } : g.http_config };
}

function resolveWechat(c: Written<'wechat_configs'>, g: GlobalSettings) {
  const api_url = folder(need(c.api_url ?? g.wechat_api_url, 'no global Wechat URL set'));
  const own = c.api_secret || c.api_secret_file;
  const api_secret = own ? c.api_secret : g.wechat_api_secret;
  const api_secret_file = own ? c.api_secret_file : g.wechat_api_secret_file;
  need(api_secret ?? api_secret_file, 'no global Wechat Api Secret set either inline or in a file');
  const corp_id = need(c.corp_id || g.wechat_api_corp_id, 'no global Wechat CorpID set');
  return { ...withHttp(c, g), api_url, api_secret, api_secret_file, corp_id, message_type: c.message_type || 'text' };
}

function resolveVictorops(c: Written<'victorops_configs'>, g: GlobalSettings) {
  const api_url = folder(need(c.api_url ?? g.victorops_api_url, 'no global VictorOps URL set'));
  const own = c.api_key || c.api_key_file;
  const api_key = own ? c.api_key : g.victorops_api_key;
  const api_key_file = own ? c.api_key_file : g.victorops_api_key_file;
  need(api_key ?? api_key_file, 'no global VictorOps API Key set');
  return { ...withHttp(c, g), api_url, api_key, api_key_file };
}

function resolveTelegram(c: Written<'telegram_configs'>, g: GlobalSettings) {
  const own = c.bot_token || c.bot_token_file;
  const bot_token = own ? c.bot_token : g.telegram_bot_token;
  const bot_token_file = own ? c.bot_token_file : g.telegram_bot_token_file;
  need(bot_token ?? bot_token_file, 'missing bot_token or bot_token_file on telegram_config');
  return { ...withHttp(c, g), api_url: c.api_url ?? g.telegram_api_url, bot_token, bot_token_file };
}

function resolveWebex(c: Written<'webex_configs'>, g: GlobalSettings) {
  return { ...withHttp(c, g), api_url: need(c.api_url ?? g.webex_api_url, 'no global Webex URL set') };
}

function resolveJira(c: Written<'jira_configs'>, g: GlobalSettings) {
  return { ...withHttp(c, g), api_url: need(c.api_url ?? g.jira_api_url, 'no global Jira Cloud URL set') };
}

function resolveRocketchat(c: Written<'rocketchat_configs'>, g: GlobalSettings) {
  const token_id = c.token_id ?? g.rocketchat_token_id;
  const token_id_file = c.token_id_file || g.rocketchat_token_id_file;
  need(token_id ?? token_id_file, 'no global Rocketchat TokenID set either inline or in a file');
  const token = c.token ?? g.rocketchat_token;
  const token_file = c.token_file || g.rocketchat_token_file;
  need(token ?? token_file, 'no global Rocketchat Token set either inline or in a file');
  return { ...withHttp(c, g), api_url: c.api_url ?? g.rocketchat_api_url, token_id, token_id_file, token, token_file };
}

function resolveMattermost(c: Written<'mattermost_configs'>, g: GlobalSettings) {
  const own = c.webhook_url || c.webhook_url_file;
  const webhook_url = own ? c.webhook_url : g.mattermost_webhook_url;
  const webhook_url_file = own ? c.webhook_url_file : g.mattermost_webhook_url_file;
  need(webhook_url ?? webhook_url_file, 'missing webhook_url or webhook_url_file on mattermost_config');
  return { ...withHttp(c, g), webhook_url, webhook_url_file };
}

/** How each kind is completed from the global settings, in the order in which Alertmanager does it. */
export const resolvers = {
  webhook_configs: (c: Written<'webhook_configs'>, g: GlobalSettings) => withHttp(c, g),
  email_configs: resolveEmail,
  slack_configs: resolveSlack,
  pushover_configs: (c: Written<'pushover_configs'>, g: GlobalSettings) => withHttp(c, g),
  pagerduty_configs: resolvePagerduty,
  incidentio_configs: (c: Written<'incidentio_configs'>, g: GlobalSettings) => withHttp(c, g),
  opsgenie_configs: resolveOpsgenie,
  wechat_configs: resolveWechat,
  victorops_configs: resolveVictorops,
  sns_configs: (c: Written<'sns_configs'>, g: GlobalSettings) => withHttp(c, g),
  telegram_configs: resolveTelegram,
  discord_configs: (c: Written<'discord_configs'>, g: GlobalSettings) => withHttp(c, g),
  webex_configs: resolveWebex,
  msteams_configs: (c: Written<'msteams_configs'>, g: GlobalSettings) => withHttp(c, g),
  msteamsv2_configs: resolveMsteamsV2,
  jira_configs: resolveJira,
  rocketchat_configs: resolveRocketchat,
  mattermost_configs: resolveMattermost,
  eventbridge_configs: (c: Written<'eventbridge_configs'>) => c,
} satisfies { [K in IntegrationKind]: (c: Written<K>, g: GlobalSettings) => unknown };

/** The settings of an integration of some kind, complete. */
export type Integration<K extends IntegrationKind> = ReturnType<(typeof resolvers)[K]>;

/** An empty entry counts as one without any settings for these kinds; for the others it is a fault. */
export const mayBeEmpty: readonly IntegrationKind[] = ['slack_configs', 'opsgenie_configs', 'wechat_configs', 'rocketchat_configs'];
