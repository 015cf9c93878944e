import { stringify } from 'yaml';
import { detectorFileSchema } from '#alerts/detectors/detector-file.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { plainRuleGroup } from '#alerts/rules/plain-rule-group.ts';
import { formatRuleFileError, readRuleFile } from '#alerts/rules/rule-file.ts';
import { type AlertWindows, findWindows, parseWindowsFile } from '#alerts/slo/alert-windows.ts';
import { generateSloRules } from '#alerts/slo/generate-slo-rules.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';
import type { SourcedSlo } from '#alerts/slo/sourced-slo.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import type { Config } from '#config/load-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { readYamlValue } from './yaml-value.ts';

/** What the configuration folder says of rules, compiled, by tenant. */
export interface CompiledRules {
  /** Rule groups of files, those of detectors and those that SLOs come to among them. */
  readonly groups: ReadonlyMap<string, readonly SourcedGroup[]>;
  readonly slos: ReadonlyMap<string, readonly SourcedSlo[]>;
  /** What is wrong with any of the files, a line each; a file that is wrong gives nothing. */
  readonly problems: readonly string[];
}

const DEFAULT_TENANT = 'default';
const compiled = new WeakMap<Config, Promise<CompiledRules>>();

/**
 * Compiles a configuration's rule files, detectors and SLOs, once: `rules/*.yaml`, `detectors/*.yaml` and `slos/*.yaml` of tenant `default`,
 * subfolders of others.
 */
export function compileRules(config: Config): Promise<CompiledRules> {
  let rules = compiled.get(config);
  if (!rules) {
    rules = compileFiles(config);
    compiled.set(config, rules);
  }
  return rules;
}

async function compileFiles({ files }: Config): Promise<CompiledRules> {
  const paths = await files.list();
  const read = async (path: string): Promise<string> => (await files.readFile(path)) ?? '';
  const problems: string[] = [];
  const groups = new Map<string, SourcedGroup[]>();
  for (const path of paths) {
    const tenant = tenantOfFile('rules', path);
    if (tenant === undefined) continue;
    const file = readRuleFile(await read(path), RULE_CHECKS);
    problems.push(...file.errors.map((error) => `${path}:${formatRuleFileError(error)}`));
    groups.set(tenant, [...(groups.get(tenant) ?? []), ...file.groups.map((group) => ({ namespace: path, group }))]);
  }
  for (const path of paths) {
    const tenant = tenantOfFile('detectors', path);
    if (tenant === undefined) continue;
    const file = readYamlValue(path, await read(path), detectorFileSchema(RULE_CHECKS));
    problems.push(...file.problems);
    groups.set(tenant, [...(groups.get(tenant) ?? []), ...(file.value ?? []).map((group) => ({ namespace: path, group }))]);
  }
  const texts = new Map(
    await Promise.all(paths.filter((path) => tenantOfFile('slos', path)).map(async (path) => [path, await read(path)] as const)),
  );
  const slos = compileSlos(texts, problems);
  for (const [tenant, own] of slos) groups.set(tenant, [...(groups.get(tenant) ?? []), ...own.flatMap(groupsOfSlo)]);
  return { groups, slos, problems };
}

/** The tenant whose file it is in the folder: its subfolder, `default` without one; undefined is no such file. */
function tenantOfFile(folder: 'rules' | 'detectors' | 'slos', path: string): string | undefined {
  const match = /^(rules|detectors|slos)\/(?:([^/]+)\/)?[^/]+\.ya?ml$/.exec(path);
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
  const { errors } = readRuleFile(stringify({ groups }), RULE_CHECKS);
  if (errors.length > 0) throw new OpsError('input', errors.map(({ message }) => `SLO ${sourced.slo.id}: ${message}`).join('\n'));
}

function groupsOfSlo({ file, slo, windows }: SourcedSlo): SourcedGroup[] {
  return generateSloRules(slo, windows, { mode: 'quarterdeck', version: 'none' }).map((group) => ({ namespace: file, group }));
}
