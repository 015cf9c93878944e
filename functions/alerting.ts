import { matchesGlob } from 'node:path';
import { compileRouting, DEFAULT_ROUTING_TEXT, type Routing } from '#alerts/dispatch/routing.ts';
import { IncidentFile } from '#alerts/incidents/incident-file.ts';
import { DEFAULT_SETTINGS, type IncidentSettings } from '#alerts/incidents/settings.ts';
import { parseTemplateFiles, type TemplateFile } from '#alerts/template/notification-template.ts';
import type { TemplateSet } from '#alerts/template/parse.ts';
import type { Config } from '#config/load-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { compileRules } from './alert-rules.ts';
import { readYamlValue } from './yaml-value.ts';

/** What the configuration folder says of alerts, compiled. */
export interface Alerting {
  /** Of a tenant, or of all that have none of their own. */
  routing(tenant: string): Routing;
  templates(tenant: string): TemplateSet;
  /** `alertmanager.yml: ...` for each setting that is read but has no effect here. */
  readonly notes: readonly string[];
  /** How the alerts of a tenant become incidents. */
  incidents(tenant: string): IncidentSettings;
}

const compiled = new WeakMap<Config, Promise<Alerting>>();

/**
 * Compiles how a configuration routes alerts, once: `alertmanager.yml` and `incidents.yaml` for all tenants, `alertmanager/<tenant>.yml` and
 * `incidents/<tenant>.yaml` for one, and the templates that those name, by globs within the folder. `input` with a line for each problem, of
 * rules, detectors and SLOs too: `rules/a.yaml:4:9: ...`.
 */
export function compileAlerting(config: Config): Promise<Alerting> {
  let alerting = compiled.get(config);
  if (!alerting) {
    alerting = compileFiles(config);
    compiled.set(config, alerting);
  }
  return alerting;
}

async function compileFiles(config: Config): Promise<Alerting> {
  const { files } = config;
  const paths = await files.list();
  const read = async (path: string): Promise<string> => (await files.readFile(path)) ?? '';
  const notes: string[] = [];
  const problems = [...(await compileRules(config)).problems];
  const routings = new Map<string, { routing: Routing; templates: TemplateSet }>();
  for (const path of paths) {
    const tenant = tenantOfRouting(path);
    if (tenant === undefined) continue;
    try {
      const routing = compileRouting(await read(path));
      notes.push(...routing.config.unsupported.map((note) => `${path}: ${note}`));
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
    const file = readYamlValue(path, await read(path), IncidentFile);
    problems.push(...file.problems);
    if (file.value) incidents.set(tenant ?? '', file.value);
  }
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  const fallback = routings.get('') ?? { routing: compileRouting(DEFAULT_ROUTING_TEXT), templates: parseTemplateFiles([]) };
  const of = (tenant: string) => routings.get(tenant) ?? fallback;
  return {
    routing: (tenant) => of(tenant).routing,
    templates: (tenant) => of(tenant).templates,
    incidents: (tenant) => incidents.get(tenant) ?? incidents.get('') ?? DEFAULT_SETTINGS,
    notes,
  };
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
