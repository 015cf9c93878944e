import { stringify } from 'yaml';
import type { AlertmanagerConfig } from './config.ts';
import type { InhibitRule } from './inhibition.ts';
import { formatMatcher } from './matchers.ts';
import type { Integration } from './resolve-receivers.ts';
import type { RouteConfig } from './route-tree.ts';
import { isSecret, SECRET_SIGN } from './secret.ts';
import { formatTimeInterval } from './time-interval-settings.ts';

const durations = new Set(['resolve_timeout', 'timeout', 'retry', 'expire', 'ttl', 'reopen_duration']);

/** The configuration as YAML that Alertmanager's tools read again, complete with its defaults, every secret shown as `<secret>`. */
export function printAlertmanagerConfig(config: AlertmanagerConfig): string {
  const named = (mute: boolean) =>
    [...config.timeIntervals]
      .filter(([name]) => config.muteTimeIntervals.includes(name) === mute)
      .map(([name, intervals]) => ({ name, time_intervals: intervals.map(formatTimeInterval) }));
  return stringify(
    prune({
      global: config.global,
      route: writeRoute(config.route),
      inhibit_rules: config.inhibitRules.map(writeRule),
      receivers: config.receivers.map((receiver) => ({ ...receiver, slack_configs: receiver.slack_configs.map(writeSlack) })),
      templates: config.templates,
      mute_time_intervals: named(true),
      time_intervals: named(false),
    }),
    { lineWidth: 0 },
  );
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

/** What followed from an app's token is left out: together with the token it would be refused. */
function writeSlack(settings: Integration<'slack_configs'>): unknown {
  if (!settings.app_token && !settings.app_token_file) return settings;
  return { ...settings, api_url: undefined, http_config: { ...settings.http_config, authorization: undefined } };
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
  if (value === empty) return [];
  if (isSecret(value)) return SECRET_SIGN;
  if (typeof value === 'number' && durations.has(key)) return formatDuration(value);
  if (Array.isArray(value)) return value.map((item) => prune(item));
  if (typeof value !== 'object' || value === null) return value;
  if (key === 'smarthost' || key === 'smtp_smarthost') return formatHostPort(value as { host: string; port: string });
  if (key === 'payload') return value;
  const entries = Object.entries(value).map(([name, field]) => [name, prune(field, name)] as const);
  return Object.fromEntries(entries.filter(([name, field]) => !isUnset(field) || (name === 'group_by' && Array.isArray(field))));
}

function isUnset(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function formatHostPort({ host, port }: { host: string; port: string }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
