import type * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import { anything, list, settings, texts } from './config-fields.ts';
import { type ConfigYaml, parseConfigYaml } from './config-yaml.ts';
import { checkGlobals, type GlobalSettings, globalSettings } from './global-settings.ts';
import type { InhibitRule } from './inhibition.ts';
import type { MatcherMode } from './parse-matchers.ts';
import { listUndelivered, type Receiver, receiverSettings, resolveReceiver } from './receiver.ts';
import { inhibitRuleSettings, type MatcherWarning, routeSettings } from './route-settings.ts';
import type { RouteConfig } from './route-tree.ts';
import type { TimeIntervals } from './time-interval.ts';
import { namedIntervals } from './time-interval-settings.ts';

/** An Alertmanager configuration, checked and complete. Secrets in it show as `<secret>` wherever they are printed. */
export interface AlertmanagerConfig {
  readonly global: GlobalSettings;
  readonly route: RouteConfig;
  readonly inhibitRules: readonly InhibitRule[];
  readonly receivers: readonly Receiver[];
  /** Globs of files. */
  readonly templates: readonly string[];
  /** Both `time_intervals` and the older `mute_time_intervals`. */
  readonly timeIntervals: TimeIntervals;
  /** Of `timeIntervals`, those under the older name. */
  readonly muteTimeIntervals: readonly string[];
  /** One sentence for each thing that is read but has no effect here. */
  readonly unsupported: readonly string[];
  /** Matchers that their writer should write otherwise. */
  readonly warnings: readonly MatcherWarning[];
}

/**
 * Reads and checks a configuration. `input` with the message that Alertmanager gives, and the line and field in the hint. `*_file`
 * settings stay paths.
 */
export function parseAlertmanagerConfig(source: string, { mode = 'fallback' }: { mode?: MatcherMode } = {}): AlertmanagerConfig {
  const yaml = parseConfigYaml(source);
  if (yaml.value === undefined) throw new OpsError('input', 'no route provided in config');
  const warnings: MatcherWarning[] = [];
  const parsed = configSettings(mode, (warning) => warnings.push(warning)).safeParse(yaml.value);
  if (!parsed.success) throw describeIssues(yaml, parsed.error.issues);
  return { ...completeConfig(yaml, parsed.data), warnings };
}

function configSettings(mode: MatcherMode, warn: (warning: MatcherWarning) => void) {
  return settings('config.plain', {
    global: globalSettings.optional(),
    route: routeSettings(mode, warn).optional(),
    inhibit_rules: list(inhibitRuleSettings(mode, warn), 'common.InhibitRule').default([]),
    receivers: list(receiverSettings, 'config.Receiver').default([]),
    templates: texts(),
    mute_time_intervals: list(namedIntervals('mute time interval'), 'config.MuteTimeInterval').default([]),
    time_intervals: list(namedIntervals('time interval'), 'config.TimeInterval').default([]),
    tracing: anything(),
    event_recorder: anything(),
  });
}

type Written = z.infer<ReturnType<typeof configSettings>>;

/** What Alertmanager checks once all is read, in its order. */
function completeConfig(yaml: ConfigYaml, written: Written): Omit<AlertmanagerConfig, 'warnings'> {
  const fail = (path: readonly PropertyKey[], fault: string | OpsError): never => {
    throw locate(yaml, path, typeof fault === 'string' ? fault : fault.message);
  };
  const global = written.global ?? globalSettings.parse({});
  const fault = findGlobalFault(global);
  if (fault) fail(['global'], fault);
  const receivers: Receiver[] = [];
  for (const [i, receiver] of written.receivers.entries()) {
    if (receivers.some(({ name }) => name === receiver.name)) {
      fail(['receivers', i, 'name'], `notification config name ${quoteGo(receiver.name)} is not unique`);
    }
    receivers.push(resolveReceiver(receiver, global, (path, error) => fail(['receivers', i, ...path], error)));
  }
  const { route } = written;
  if (!route) throw locate(yaml, ['route'], 'no routes provided');
  checkRoot(route, fail);
  checkRouteReceivers(route, new Set(receivers.map(({ name }) => name)), ['route'], fail);
  const timeIntervals = joinTimeIntervals(written, fail);
  checkRouteIntervals(route, timeIntervals, ['route'], fail);
  if (route.continue) fail(['route', 'continue'], 'cannot have continue in root route');
  return {
    global,
    route,
    inhibitRules: written.inhibit_rules,
    receivers,
    templates: written.templates,
    timeIntervals,
    muteTimeIntervals: written.mute_time_intervals.map(({ name }) => name),
    unsupported: listUnsupported(written, receivers),
  };
}

type Fail = (path: readonly PropertyKey[], message: string) => never;

function findGlobalFault(global: GlobalSettings): string | undefined {
  let message: string | undefined;
  checkGlobals(global, { addIssue: (issue: { message?: string }) => (message ??= issue.message) } as unknown as z.core.$RefinementCtx);
  return message;
}

function checkRoot(route: RouteConfig, fail: Fail): void {
  if (!route.receiver) fail(['route'], 'root route must specify a default receiver');
  if (route.matchers.length > 0) fail(['route'], 'root route must not have any matchers');
  if (route.muteTimeIntervals.length > 0) fail(['route', 'mute_time_intervals'], 'root route must not have any mute time intervals');
  if (route.activeTimeIntervals.length > 0) fail(['route', 'active_time_intervals'], 'root route must not have any active time intervals');
}

function checkRouteReceivers(route: RouteConfig, names: ReadonlySet<string>, path: readonly PropertyKey[], fail: Fail): void {
  for (const [i, child] of route.routes.entries()) checkRouteReceivers(child, names, [...path, 'routes', i], fail);
  if (route.receiver && !names.has(route.receiver)) {
    fail([...path, 'receiver'], `undefined receiver ${quoteGo(route.receiver)} used in route`);
  }
}

function joinTimeIntervals(written: Written, fail: Fail): TimeIntervals {
  const intervals: Map<string, TimeIntervals extends ReadonlyMap<string, infer V> ? V : never> = new Map();
  for (const [key, kind] of [
    ['mute_time_intervals', 'mute time interval'],
    ['time_intervals', 'time interval'],
  ] as const) {
    for (const [i, { name, time_intervals: own }] of written[key].entries()) {
      if (intervals.has(name)) fail([key, i, 'name'], `${kind} ${quoteGo(name)} is not unique`);
      intervals.set(name, own);
    }
  }
  return intervals;
}

function checkRouteIntervals(route: RouteConfig, intervals: TimeIntervals, path: readonly PropertyKey[], fail: Fail): void {
  for (const [i, child] of route.routes.entries()) checkRouteIntervals(child, intervals, [...path, 'routes', i], fail);
  const unknown = [...route.activeTimeIntervals, ...route.muteTimeIntervals].find((name) => !intervals.has(name));
  if (unknown !== undefined) fail(path, `undefined time interval ${quoteGo(unknown)} used in route`);
}

function listUnsupported(written: Written, receivers: readonly Receiver[]): string[] {
  const sections = (['tracing', 'event_recorder'] as const)
    .filter((name) => written[name] !== undefined && written[name] !== null)
    .map((name) => `${name} is read, but has no effect`);
  const undelivered = receivers.flatMap((receiver) =>
    listUndelivered(receiver).map((kind) => `receiver ${quoteGo(receiver.name)}: nothing is delivered to its ${kind}`),
  );
  const labels = written.route && hasLabels(written.route) ? ['labels of routes are read, but templates see none of them'] : [];
  return [...sections, ...labels, ...undelivered];
}

function hasLabels({ labels, routes }: RouteConfig): boolean {
  return Object.keys(labels).length > 0 || routes.some(hasLabels);
}

/** The first fault in the order in which Alertmanager reads (inner things before those around them), or all wrong fields and types. */
function describeIssues(yaml: ConfigYaml, issues: readonly z.core.$ZodIssue[]): OpsError {
  const placed = issues.map((issue) => ({ issue, ...yaml.place(issue.path) }));
  const [fault] = placed.filter(({ issue }) => issue.code === 'custom').sort((a, b) => a.end - b.end);
  if (fault) return locate(yaml, fault.issue.path, fault.issue.message);
  const found = placed.flatMap(({ issue, line }) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, line, message: issue.message }];
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { path, line: yaml.place(path).line, message: `field ${key} not found in type ${issue.message}` };
    });
  });
  found.sort((a, b) => a.line - b.line);
  const lines = found.map(({ line, message }) => `  line ${line}: ${message}`);
  return locate(yaml, found[0]?.path ?? [], `yaml: unmarshal errors:\n${lines.join('\n')}`);
}

function locate(yaml: ConfigYaml, path: readonly PropertyKey[], message: string): OpsError {
  const field = path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`)).join('');
  const where = field === '' ? '' : ` in ${field.replace(/^\./, '')}`;
  return new OpsError('input', message, { hint: `Look at line ${yaml.place(path).line}${where}.` });
}
