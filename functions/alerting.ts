import { matchesGlob } from 'node:path';
import { stringify } from 'yaml';
import { compileRouting, DEFAULT_ROUTING_TEXT, type Routing } from '#alerts/dispatch/routing.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { plainRuleGroup } from '#alerts/rules/plain-rule-group.ts';
import { formatRuleFileError, readRuleFile } from '#alerts/rules/rule-file.ts';
import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { type AlertWindows, findWindows, parseWindowsFile } from '#alerts/slo/alert-windows.ts';
import { generateSloRules } from '#alerts/slo/generate-slo-rules.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';
import type { SourcedSlo } from '#alerts/slo/sourced-slo.ts';
import { parseTemplateFiles, type TemplateFile } from '#alerts/template/notification-template.ts';
import type { TemplateSet } from '#alerts/template/parse.ts';
import type { Config } from '#config/load-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseExpr } from '#query/promql/parse.ts';

/** What the configuration folder says of alerts, compiled. */
export interface Alerting {
  /** Rule groups of a tenant's files, those that its SLOs come to among them. */
  readonly groups: ReadonlyMap<string, readonly SourcedGroup[]>;
  readonly slos: ReadonlyMap<string, readonly SourcedSlo[]>;
  /** Of a tenant, or of all that have none of their own. */
  routing(tenant: string): Routing;
  templates(tenant: string): TemplateSet;
}

const DEFAULT_TENANT = 'default';
const compiled = new WeakMap<Config, Promise<Alerting>>();

/**
 * Compiles a configuration's alerting files, once: `rules/*.yaml` of tenant `default` and `rules/<tenant>/*.yaml` of others, SLOs in
 * `slos/` likewise, `alertmanager.yml` for all tenants and `alertmanager/<tenant>.yml` for one, and the templates that those name, by globs within the
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
    const tenant = tenantOfFile('rules', path);
    if (tenant === undefined) continue;
    const file = readRuleFile(await read(path), { checkExpr: parseExpr, checkTemplate: checkRuleTemplate });
    problems.push(...file.errors.map((error) => `${path}:${formatRuleFileError(error)}`));
    groups.set(tenant, [...(groups.get(tenant) ?? []), ...file.groups.map((group) => ({ namespace: path, group }))]);
  }
  const texts = new Map(
    await Promise.all(paths.filter((path) => tenantOfFile('slos', path)).map(async (path) => [path, await read(path)] as const)),
  );
  const slos = compileSlos(texts, problems);
  for (const [tenant, own] of slos) groups.set(tenant, [...(groups.get(tenant) ?? []), ...own.flatMap(groupsOfSlo)]);
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
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  const fallback = routings.get('') ?? { routing: compileRouting(DEFAULT_ROUTING_TEXT), templates: parseTemplateFiles([]) };
  const of = (tenant: string) => routings.get(tenant) ?? fallback;
  return { groups, slos, routing: (tenant) => of(tenant).routing, templates: (tenant) => of(tenant).templates };
}

/** The tenant whose file it is in the folder: its subfolder, `default` without one; undefined is no such file. */
function tenantOfFile(folder: 'rules' | 'slos', path: string): string | undefined {
  const match = /^(rules|slos)\/(?:([^/]+)\/)?[^/]+\.ya?ml$/.exec(path);
  return match?.[1] === folder ? (match[2] ?? DEFAULT_TENANT) : undefined;
}

const WINDOWS_FILE = /^kind:\s*["']?AlertWindows\b/m;

/** SLOs by tenant, and what is wrong with any of them. A file of kind AlertWindows gives windows to all SLOs of its period and tenant. */
function compileSlos(texts: ReadonlyMap<string, string>, problems: string[]): Map<string, SourcedSlo[]> {
  const slos = new Map<string, SourcedSlo[]>();
  const attempt = (path: string, compile: () => void) => {
    try {
      compile();
    } catch (error) {
      if (!isOpsError(error)) throw error;
      problems.push(...error.message.split('\n').map((line) => `${path}: ${line}`));
    }
  };
  const windows = new Map<string, AlertWindows[]>();
  const tenantOf = (path: string) => tenantOfFile('slos', path) as string;
  for (const [path, text] of texts) {
    if (!WINDOWS_FILE.test(text)) continue;
    const tenant = tenantOf(path);
    attempt(path, () => windows.set(tenant, [...(windows.get(tenant) ?? []), parseWindowsFile(text)]));
  }
  for (const [path, text] of texts) {
    if (WINDOWS_FILE.test(text)) continue;
    const tenant = tenantOf(path);
    attempt(path, () => {
      const own = parseSloFile(text).slos.map((slo) => ({ file: path, slo, windows: findWindows(slo.periodMs, windows.get(tenant)) }));
      for (const sourced of own) checkSlo(sourced);
      slos.set(tenant, [...(slos.get(tenant) ?? []), ...own]);
    });
  }
  return slos;
}

/** The rules of an SLO have to be such as a file may have. */
function checkSlo(sourced: SourcedSlo): void {
  const groups = groupsOfSlo(sourced).map(({ group }) => plainRuleGroup(group));
  const { errors } = readRuleFile(stringify({ groups }), { checkExpr: parseExpr, checkTemplate: checkRuleTemplate });
  if (errors.length > 0) throw new OpsError('input', errors.map(({ message }) => `SLO ${sourced.slo.id}: ${message}`).join('\n'));
}

function groupsOfSlo({ file, slo, windows }: SourcedSlo): SourcedGroup[] {
  return generateSloRules(slo, windows, { mode: 'quarterdeck', version: 'none' }).map((group) => ({ namespace: file, group }));
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
