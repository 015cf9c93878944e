import type * as z from 'zod';
import type { Config } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import { trafficSettings } from '#model/traffic-settings.ts';
import { Analysis } from '#releases/analysis/analysis.ts';
import { describeAnalysis } from '#releases/analysis/analysis-facts.ts';
import type { Application } from '#releases/application/application.ts';
import { type ApplicationFileParts, applicationFile } from '#releases/application/application-file.ts';
import { readYamlValue } from './yaml-value.ts';

const DEFAULT_TENANT = 'default';
/** What analyses and drivers take is theirs to say. */
export const PARTS: ApplicationFileParts = {
  analysis: Analysis as z.ZodType<unknown> as z.ZodType<Json>,
  describeAnalysis,
  drivers: trafficSettings,
};
const compiled = new WeakMap<Config, Promise<ReadonlyMap<string, readonly Application[]>>>();

/**
 * Compiles a configuration's applications by tenant, once: `applications/*.yaml` of tenant `default`, subfolders of others. `input` with a
 * line for each problem: `applications/shop.yaml:4:9: ...`.
 */
export function compileApplications(config: Config): Promise<ReadonlyMap<string, readonly Application[]>> {
  let applications = compiled.get(config);
  if (!applications) {
    applications = compileFiles(config);
    compiled.set(config, applications);
  }
  return applications;
}

async function compileFiles({ files }: Config): Promise<ReadonlyMap<string, readonly Application[]>> {
  const schema = applicationFile(PARTS);
  const problems: string[] = [];
  const applications = new Map<string, Application[]>();
  const fileOf = new Map<string, string>();
  for (const path of await files.list()) {
    const [isFile, tenant = DEFAULT_TENANT] = /^applications\/(?:([^/]+)\/)?[^/]+\.ya?ml$/.exec(path) ?? [];
    if (isFile === undefined) continue;
    const file = readYamlValue(path, (await files.readFile(path)) ?? '', schema);
    problems.push(...file.problems);
    if (!file.value) continue;
    const { name } = file.value;
    const other = fileOf.get(`${tenant}/${name}`);
    if (other !== undefined) problems.push(`${path}: application ${name} is in ${other} already`);
    fileOf.set(`${tenant}/${name}`, path);
    applications.set(tenant, [...(applications.get(tenant) ?? []), file.value]);
  }
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  return applications;
}
