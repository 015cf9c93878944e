import { matchesGlob } from 'node:path';
import type * as z from 'zod';
import { detectorFileSchema } from '#alerts/detectors/detector-file.ts';
import { compileRouting, DEFAULT_ROUTING_TEXT, type Routing } from '#alerts/dispatch/routing.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { IncidentFile } from '#alerts/incidents/incident-file.ts';
import { DEFAULT_SETTINGS, type IncidentSettings } from '#alerts/incidents/settings.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import { formatRuleFileError, readRuleFile } from '#alerts/rules/rule-file.ts';
import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { parseTemplateFiles, type TemplateFile } from '#alerts/template/notification-template.ts';
import type { TemplateSet } from '#alerts/template/parse.ts';
import type { Config } from '#config/load-config.ts';
import { checkYamlFile, formatProblem, parseYamlFile } from '#config/yaml-file.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseExpr } from '#query/promql/parse.ts';

/** What the configuration folder says of alerts, compiled. */
export interface Alerting {
  /** Rule groups of a tenant's files. */
  readonly groups: ReadonlyMap<string, readonly SourcedGroup[]>;
  /** Of a tenant, or of all that have none of their own. */
  routing(tenant: string): Routing;
  templates(tenant: string): TemplateSet;
  /** How the alerts of a tenant become incidents. */
  incidents(tenant: string): IncidentSettings;
}

const DEFAULT_TENANT = 'default';
const compiled = new WeakMap<Config, Promise<Alerting>>();

/**
 * Compiles a configuration's alerting files, once: `rules/*.yaml` and `detectors/*.yaml` of tenant `default`, `rules/<tenant>/*.yaml` and
 * `detectors/<tenant>/*.yaml` of others,
 * `alertmanager.yml` and `incidents.yaml` for all tenants, `alertmanager/<tenant>.yml` and `incidents/<tenant>.yaml` for one, and the templates that those name, by globs within the
 * folder. `input` with a line for each problem: `rules/a.yaml:4:9: ...`.
 */
export function compileAlerting(config: Config): Promise<Alerting> {
  let alerting = compiled.get(config);
  if (!alerting) {
    alerting = compileFiles(config);
    compiled.set(config, alerting);
  }
  return alerting;
}

async function compileFiles({ files }: Config): Promise<Alerting> {
  const paths = await files.list();
  const read = async (path: string): Promise<string> => (await files.readFile(path)) ?? '';
  const problems: string[] = [];
  const groups = new Map<string, SourcedGroup[]>();
  for (const path of paths) {
    const [, kind, folder = DEFAULT_TENANT] = /^(rules|detectors)\/(?:([^/]+)\/)?[^/]+\.ya?ml$/.exec(path) ?? [];
    if (kind === undefined) continue;
    const file = kind === 'rules' ? readRules(path, await read(path)) : readDetectors(path, await read(path));
    problems.push(...file.problems);
    groups.set(folder, [...(groups.get(folder) ?? []), ...file.groups.map((group) => ({ namespace: path, group }))]);
  }
  const routings = new Map<string, { routing: Routing; templates: TemplateSet }>();
  for (const path of paths) {
    const tenant = tenantOfRouting(path);
    if (tenant === undefined) continue;
    try {
      const routing = compileRouting(await read(path));
      routings.set(tenant, { routing, templates: parseTemplateFiles(await readTemplates(routing, paths, read)) });
    } catch (error) {
      if (!isOpsError(error)) throw error;
      problems.push(`${path}: ${error.message}${error.hint ? ` ${error.hint}` : ''}`);
    }
  }
  const incidents = new Map<string, IncidentSettings>();
  for (const path of paths) {
    const [, tenant] = /^incidents(?:\/([^/]+))?\.ya?ml$/.exec(path) ?? [];
    if (!/^incidents(?:\/[^/]+)?\.ya?ml$/.test(path)) continue;
    const file = readYaml(path, await read(path), IncidentFile);
    problems.push(...file.problems);
    if (file.value) incidents.set(tenant ?? '', file.value);
  }
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  const fallback = routings.get('') ?? { routing: compileRouting(DEFAULT_ROUTING_TEXT), templates: parseTemplateFiles([]) };
  const of = (tenant: string) => routings.get(tenant) ?? fallback;
  return {
    groups,
    routing: (tenant) => of(tenant).routing,
    templates: (tenant) => of(tenant).templates,
    incidents: (tenant) => incidents.get(tenant) ?? incidents.get('') ?? DEFAULT_SETTINGS,
  };
}

interface GroupFile {
  readonly groups: readonly RuleGroup[];
  readonly problems: readonly string[];
}

const checks = { checkExpr: parseExpr, checkTemplate: checkRuleTemplate };

function readRules(path: string, text: string): GroupFile {
  const { groups, errors } = readRuleFile(text, checks);
  return { groups, problems: errors.map((error) => `${path}:${formatRuleFileError(error)}`) };
}

function readDetectors(path: string, text: string): GroupFile {
  const { value = [], problems } = readYaml(path, text, detectorFileSchema(checks));
  return { groups: value, problems };
}

function readYaml<T>(path: string, text: string, schema: z.ZodType<T>): { readonly value?: T; readonly problems: readonly string[] } {
  const yaml = parseYamlFile(path, text);
  const checked = 'value' in yaml ? checkYamlFile(yaml, schema) : yaml;
  return 'value' in checked ? { value: checked.value, problems: [] } : { problems: checked.map(formatProblem) };
}

/** '' is every tenant without one of its own; undefined is no such file. */
function tenantOfRouting(path: string): string | undefined {
  if (path === 'alertmanager.yml' || path === 'alertmanager.yaml') return '';
  return /^alertmanager\/([^/]+)\.ya?ml$/.exec(path)?.[1];
}

async function readTemplates(
  { config }: Routing,
  paths: readonly string[],
  read: (path: string) => Promise<string>,
): Promise<TemplateFile[]> {
  const named = paths.filter((path) => config.templates.some((glob) => matchesGlob(path, glob.replace(/^\.?\//, ''))));
  return Promise.all(named.map(async (path) => ({ name: path.split('/').at(-1) as string, text: await read(path) })));
}
