import { stringify } from 'yaml';
import type { AlertmanagerConfig } from './config.ts';
import { defaultsOf } from './config-fields.ts';
import { type GlobalSettings, globalSettings } from './global-settings.ts';
import type { InhibitRule } from './inhibition.ts';
import { formatMatcher } from './matchers.ts';
import type { Receiver } from './receiver.ts';
import { type Integration, type IntegrationKind, integrationSettings } from './resolve-receivers.ts';
import type { RouteConfig } from './route-tree.ts';
import { isSecret, revealSecret, SECRET_SIGN, SECRET_URL, type Secret } from './secret.ts';
import { formatTimeInterval } from './time-interval-settings.ts';

const durations = new Set(['resolve_timeout', 'timeout', 'retry', 'expire', 'ttl', 'reopen_duration']);

/**
 * The configuration as YAML that reads the same again, every secret shown as `<secret>`; receivers are complete. Of defaults nothing
 * is written: tools of older versions refuse fields that they do not know.
 */
export function printAlertmanagerConfig(config: AlertmanagerConfig): string {
  const named = (mute: boolean) =>
    [...config.timeIntervals]
      .filter(([name]) => config.muteTimeIntervals.includes(name) === mute)
      .map(([name, intervals]) => ({ name, time_intervals: intervals.map(formatTimeInterval) }));
  return stringify(
    prune({
      global: withoutDefaults({ ...config.global, slack_api_url: showSlackUrl(config.global.slack_api_url) }, globalDefaults),
      route: writeRoute(config.route),
      inhibit_rules: config.inhibitRules.map(writeRule),
      receivers: config.receivers.map((receiver) => writeReceiver(receiver, config.global)),
      templates: config.templates,
      mute_time_intervals: named(true),
      time_intervals: named(false),
    }),
    { lineWidth: 0 },
  );
}

const globalDefaults = globalSettings.parse({});
const httpDefaults = globalDefaults.http_config;
const kinds = Object.keys(integrationSettings) as IntegrationKind[];
const defaults = new Map(kinds.map((kind) => [kind, defaultsOf(integrationSettings[kind])]));

function withoutDefaults(fields: object, fallback: object): Record<string, unknown> {
  const plain = (value: unknown) => JSON.stringify(value ?? '');
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name, value]) => plain(value) !== plain((fallback as Record<string, unknown>)[name]))
      .map(([name, value]) => [
        name,
        value === '' ? emptyText : name === 'http_config' && value ? withoutDefaults(value, httpDefaults) : value,
      ]),
  );
}

/** The address at which all apps post is no secret, and rules about it need it. */
function showSlackUrl(url: Secret | undefined): Secret | string | undefined {
  return url && revealSecret(url) === globalDefaults.slack_app_url ? globalDefaults.slack_app_url : url;
}

function writeReceiver({ name, labels, ...receiver }: Receiver, global: GlobalSettings): Record<string, unknown> {
  const own = Object.keys(labels).length > 1 ? labels : undefined;
  const lists = kinds.map((kind) => [kind, receiver[kind].map((settings) => writeIntegration(kind, settings, global))]);
  return { name, labels: own, ...Object.fromEntries(lists) };
}

/** What is as it is for all receivers is left out, and what followed from an app's token: with the token it would be refused. */
function writeIntegration<K extends IntegrationKind>(kind: K, settings: Integration<K>, global: GlobalSettings): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...settings };
  const slack = kind === 'slack_configs' ? (settings as Integration<'slack_configs'>) : undefined;
  if (slack && (slack.app_token || slack.app_token_file)) {
    fields.api_url = undefined;
    fields.http_config = { ...slack.http_config, authorization: undefined };
  }
  if (kind === 'webhook_configs' && fields.url) fields.url = SECRET_URL;
  if (slack?.api_url && fields.api_url) fields.api_url = showSlackUrl(slack.api_url);
  if (slack?.app_url === global.slack_app_url) fields.app_url = undefined;
  if (JSON.stringify(fields.http_config) === JSON.stringify(global.http_config)) fields.http_config = undefined;
  return withoutDefaults(fields, defaults.get(kind) ?? {});
}

function writeRoute(route: RouteConfig): Record<string, unknown> {
  return {
    receiver: route.receiver,
    group_by: route.groupByAll ? ['...'] : keepEmpty(route.groupBy),
    matchers: route.matchers.map(formatMatcher),
    mute_time_intervals: route.muteTimeIntervals,
    active_time_intervals: route.activeTimeIntervals,
    continue: route.continue,
    group_wait: formatMs(route.groupWaitMs),
    group_interval: formatMs(route.groupIntervalMs),
    repeat_interval: formatMs(route.repeatIntervalMs),
    labels: route.labels,
    routes: route.routes.map(writeRoute),
  };
}

function writeRule(rule: InhibitRule): Record<string, unknown> {
  return {
    name: rule.name,
    source_matchers: rule.sourceMatchers.map(formatMatcher),
    target_matchers: rule.targetMatchers.map(formatMatcher),
    equal: rule.equal,
  };
}

/** An empty `group_by` says something, other than any other empty list. */
const empty = Symbol('empty list');
/** So does an empty text in the place of a default. */
const emptyText = Symbol('empty text');

function keepEmpty(names: readonly string[] | undefined): readonly string[] | typeof empty | undefined {
  return names?.length === 0 ? empty : names;
}

function formatMs(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}

/** `1h30m`, `250ms`: both Prometheus and Go read it. */
function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = Math.round(ms);
  let text = '';
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

/** Plain values without what is not set. */
function prune(value: unknown, key = ''): unknown {
  if (value === empty || value === emptyText) return value;
  if (isSecret(value)) return SECRET_SIGN;
  if (typeof value === 'number' && durations.has(key)) return formatDuration(value);
  if (Array.isArray(value)) return value.map((item) => prune(item));
  if (typeof value !== 'object' || value === null) return value;
  if (key === 'smarthost' || key === 'smtp_smarthost') return formatHostPort(value as { host: string; port: string });
  if (key === 'payload') return value;
  const entries = Object.entries(value).map(([name, field]) => [name, prune(field, name)] as const);
  const said = (field: unknown) => (field === empty ? [] : field === emptyText ? '' : field);
  return Object.fromEntries(entries.filter(([, field]) => !isUnset(field)).map(([name, field]) => [name, said(field)]));
}

function isUnset(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function formatHostPort({ host, port }: { host: string; port: string }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
