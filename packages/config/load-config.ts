import type * as z from 'zod';
import { LookupTable, PipelineFile, type PipelineRule } from '#ingest/pipeline/rule.ts';
import { buildTenants, type Tenant, TenantsFile } from './tenants.ts';
import { checkYamlFile, type Problem, parseYamlFile, throwProblems, type YamlFile } from './yaml-file.ts';

/** The files of a configuration folder. */
export interface ConfigFiles {
  /** The text of a file by its path inside the folder, with `/`; undefined where there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** The paths of all files, in order. */
  list(): Promise<readonly string[]>;
}

/** The whole configuration, validated. */
export interface Config {
  /** By name; `default` is always there. */
  readonly tenants: ReadonlyMap<string, Tenant>;
  /** What holds for a tenant that no file names; its name is ''. */
  readonly defaults: Tenant;
  /** Ingest rules by tenant, and by `*` for tenants without a list. */
  readonly pipelines: ReadonlyMap<string, readonly PipelineRule[]>;
  /** Look-up tables by file. */
  readonly tables: ReadonlyMap<string, LookupTable>;
  /** The rest of the folder, for those who know what its files mean. */
  readonly files: ConfigFiles;
}

/** What is set for a tenant, named in a file or not. */
export function tenantSettings(config: Config, name: string): Tenant {
  return config.tenants.get(name) ?? { ...config.defaults, name };
}

/** The ingest rules of a tenant, in order. */
export function tenantRules(config: Config, name: string): readonly PipelineRule[] {
  return config.pipelines.get(name) ?? config.pipelines.get('*') ?? [];
}

/**
 * Reads and checks the configuration as a whole; every file is optional. `input` with one line for each problem,
 * `file:line:col: field: what was wrong, what is accepted`; nothing else is ever thrown for what a file says.
 */
export async function loadConfig(files: ConfigFiles): Promise<Config> {
  const problems: Problem[] = [];
  const tenantsFile = await readChecked(files, 'tenants.yaml', TenantsFile, problems);
  const pipelineFile = await readChecked(files, 'pipeline.yaml', PipelineFile, problems);
  const { tenants, defaults } = buildTenants(tenantsFile?.value ?? {});
  const pipelines = new Map(Object.entries(pipelineFile?.value.tenants ?? {}));
  const tables = new Map<string, LookupTable>();
  if (pipelineFile) {
    if (tenantsFile) problems.push(...checkDestinations(pipelineFile.yaml, pipelines, { tenants, defaults }));
    problems.push(...(await readTables(files, pipelineFile.yaml, pipelines, tables)));
  }
  if (problems.length > 0) throwProblems(problems);
  return { tenants, defaults, pipelines, tables, files };
}

interface Checked<T> {
  readonly yaml: YamlFile;
  readonly value: T;
}

/** An absent file is an empty one. Undefined where it is wrong, which `problems` then says. */
async function readChecked<T>(
  files: ConfigFiles,
  file: string,
  schema: z.ZodType<T>,
  problems: Problem[],
): Promise<Checked<T> | undefined> {
  const yaml = parseYamlFile(file, (await files.readFile(file)) ?? '');
  const checked = 'value' in yaml ? checkYamlFile(yaml, schema) : yaml;
  if ('value' in yaml && 'value' in checked) return { yaml, value: checked.value };
  problems.push(...(checked as readonly Problem[]));
  return undefined;
}

type Pipelines = ReadonlyMap<string, readonly PipelineRule[]>;

function* eachRule(pipelines: Pipelines): Generator<{ tenant: string; rule: PipelineRule; path: PropertyKey[] }> {
  for (const [tenant, rules] of pipelines) {
    for (const [i, rule] of rules.entries()) yield { tenant, rule, path: ['tenants', tenant, i] };
  }
}

/** Rules are for tenants that exist, and route to tenants and retention classes that exist. */
function checkDestinations(yaml: YamlFile, pipelines: Pipelines, known: Pick<Config, 'tenants' | 'defaults'>): Problem[] {
  const problems: Problem[] = [];
  const names = [...known.tenants.keys()].slice(0, 50).join(', ');
  for (const tenant of pipelines.keys()) {
    if (tenant !== '*' && !known.tenants.has(tenant)) {
      problems.push(yaml.problemAt(['tenants', tenant], `is no tenant of tenants.yaml; accepted: '*', ${names}`, true));
    }
  }
  for (const { tenant, rule, path } of eachRule(pipelines)) {
    const { tenant: target = tenant, retentionClass } = rule.route ?? {};
    const settings = target === '*' ? known.defaults : known.tenants.get(target);
    if (rule.route?.tenant !== undefined && (!settings || target === '*')) {
      problems.push(
        yaml.problemAt(
          [...path, 'route', 'tenant'],
          `routes to ${JSON.stringify(target)}, which is no tenant of tenants.yaml; accepted: ${names}`,
        ),
      );
    }
    if (retentionClass !== undefined && settings && !settings.retentionClasses.has(retentionClass)) {
      const classes = [...settings.retentionClasses.keys()].join(', ') || 'none is defined';
      const owner = target === '*' ? 'the defaults' : `tenant ${target}`;
      problems.push(
        yaml.problemAt(
          [...path, 'route', 'retentionClass'],
          `is no retention class of ${owner} in tenants.yaml; accepted: ${classes}; got ${JSON.stringify(retentionClass)}`,
        ),
      );
    }
  }
  return problems;
}

async function readTables(files: ConfigFiles, yaml: YamlFile, pipelines: Pipelines, tables: Map<string, LookupTable>): Promise<Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const { rule, path } of eachRule(pipelines)) {
    const file = rule.enrich?.lookup?.table;
    if (file === undefined || seen.has(file)) continue;
    seen.add(file);
    if ((await files.readFile(file)) === undefined) {
      problems.push(yaml.problemAt([...path, 'enrich', 'lookup', 'table'], `names ${file}, which is not in the configuration folder`));
      continue;
    }
    const table = await readChecked(files, file, LookupTable, problems);
    if (table) tables.set(file, table.value);
  }
  return problems;
}
