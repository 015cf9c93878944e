import type { Config } from '#config/load-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import type { FileFlag, FileFlags } from '#flags/store/flag-view.ts';

const DEFAULT_TENANT = 'default';
const compiled = new WeakMap<Config, Promise<ReadonlyMap<string, FileFlags>>>();

/**
 * Compiles a configuration's flags, once: `flags/*.json` of tenant `default`, subfolders of others. `input` with a line for each problem, a flag
 * that two files have among them.
 */
export function compileFlags(config: Config): Promise<ReadonlyMap<string, FileFlags>> {
  let flags = compiled.get(config);
  if (!flags) {
    flags = compileFiles(config);
    compiled.set(config, flags);
  }
  return flags;
}

async function compileFiles({ files }: Config): Promise<ReadonlyMap<string, FileFlags>> {
  const tenants = new Map<string, Map<string, FileFlag>>();
  const problems: string[] = [];
  for (const path of await files.list()) {
    const [isFlags, tenant = DEFAULT_TENANT] = /^flags\/(?:([^/]+)\/)?[^/]+\.json$/.exec(path) ?? [];
    if (!isFlags) continue;
    const known = tenants.get(tenant) ?? new Map<string, FileFlag>();
    tenants.set(tenant, known);
    try {
      for (const [key, flag] of parseFlagSet((await files.readFile(path)) ?? '').flags) {
        const other = known.get(key)?.file;
        if (other === undefined) known.set(key, { ...flag, file: path });
        else problems.push(`${path}: flags.${key}: is in ${other} too`);
      }
    } catch (error) {
      if (!isOpsError(error)) throw error;
      problems.push(...error.message.split('\n').map((line) => `${path}: ${line}`));
    }
  }
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  return tenants;
}
