import type { FlagDomains } from '#api/flags/flag-domains.ts';
import type { Config } from '#config/load-config.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import { createRateLimit, type RateLimit } from '#flags/rate-limit.ts';
import { createFlagReader, type FileFlag, type FileFlags, type ReadFlags } from '#flags/store/flag-view.ts';
import { createRollouts } from '#flags/store/rollouts.ts';
import { createFlagUsage, type FlagUsage } from '#flags/store/usage.ts';
import type { Rollouts } from '#ports/rollouts.ts';
import type { Table } from '#ports/table.ts';
import type { FunctionDeps } from './deps.ts';

const DEFAULT_TENANT = 'default';
const NONE: FileFlags = new Map();

/** Requests for evaluations a second that a tenant has in one process, and as many at once. */
const EVALUATIONS = { perSecond: 2_000, burst: 4_000 };

const compiled = new WeakMap<Config, Promise<ReadonlyMap<string, FileFlags>>>();
const readers = new WeakMap<Config, WeakMap<Table, ReadFlags>>();
const processes = new WeakMap<Table, { readonly usage: FlagUsage; readonly limit: RateLimit }>();

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

type FlagFunctionDeps = Pick<FunctionDeps, 'table' | 'now' | 'newId' | 'config'>;

/** What the routes of flags are made of. What is compiled and what was noted is kept for the life of the process. */
export function flagDomains({ table, now, newId, config }: FlagFunctionDeps): FlagDomains {
  const fileFlags = filesOf(config);
  const byTable = readers.get(config) ?? new WeakMap<Table, ReadFlags>();
  readers.set(config, byTable);
  const readFlags = byTable.get(table) ?? createFlagReader(table, fileFlags);
  byTable.set(table, readFlags);
  const kept = processes.get(table) ?? { usage: createFlagUsage(table, now), limit: createRateLimit(now, EVALUATIONS) };
  processes.set(table, kept);
  // 48 of the random bits that an id has.
  const random = () => Number.parseInt(newId().slice(0, 12), 16) / 2 ** 48;
  return { table, now, newId, readFlags, fileFlags, flagUsage: kept.usage, evaluationLimit: kept.limit, random };
}

/** The port by which releases drive the rollouts of flags. */
export function flagRollouts({ table, now, newId, config }: FlagFunctionDeps): Rollouts {
  return createRollouts({ table, now, newId, files: filesOf(config) });
}

function filesOf(config: Config): (tenant: string) => Promise<FileFlags> {
  return async (tenant) => (await compileFlags(config)).get(tenant) ?? NONE;
}
