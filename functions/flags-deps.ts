import type { FlagDomains } from '#api/flags/flag-domains.ts';
import type { Config } from '#config/load-config.ts';
import { createRateLimit, type RateLimit } from '#flags/rate-limit.ts';
import { createFlagReader, type FileFlags, type ReadFlags } from '#flags/store/flag-view.ts';
import { createRollouts } from '#flags/store/rollouts.ts';
import { createFlagUsage, type FlagUsage } from '#flags/store/usage.ts';
import type { Rollouts } from '#ports/rollouts.ts';
import type { Table } from '#ports/table.ts';
import type { FunctionDeps } from './deps.ts';
import { compileFlags } from './flag-files.ts';

const NONE: FileFlags = new Map();

/** Requests for evaluations a second that a tenant has in one process, and as many at once. */
const EVALUATIONS = { perSecond: 2_000, burst: 4_000 };

const readers = new WeakMap<Config, WeakMap<Table, ReadFlags>>();
const processes = new WeakMap<Table, { readonly usage: FlagUsage; readonly limit: RateLimit }>();

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
