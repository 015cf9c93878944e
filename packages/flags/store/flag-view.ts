import { createCache } from '#core/bounded-cache.ts';
import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type CompiledFlag, compileFlag } from '#flags/compile-flag.ts';
import type { FlagDefinition } from '#flags/flag-definition.ts';
import type { SetFlag } from '#flags/flag-set.ts';
import type { Item, Table } from '#ports/table.ts';
import { decodeRecord, type FlagRecord, flagPartition, setKey } from './flag-record.ts';

/** A flag of the configuration folder. */
export interface FileFlag extends SetFlag {
  /** `flags/shop.json` */
  readonly file: string;
}

/** A tenant's flags of files, by name. */
export type FileFlags = ReadonlyMap<string, FileFlag>;

/** A flag as a tenant has it, wherever it is from. */
export interface ViewFlag {
  readonly key: string;
  /** The file that it is in; undefined where it was written by API. */
  readonly file: string | undefined;
  /** 0 where the table holds nothing of it. */
  readonly version: number;
  /** With what was set of its rollout; undefined where it cannot be read. */
  readonly definition: FlagDefinition | undefined;
  readonly record: FlagRecord | undefined;
  /** Undefined where there is a problem. */
  readonly compiled: CompiledFlag | undefined;
  readonly problem: string | undefined;
}

/** A tenant's flags at one version, in order of their names. */
export interface FlagView {
  /** Raised by every change of any flag of the table; 0 where none was ever written. */
  readonly version: number;
  readonly flags: ReadonlyMap<string, ViewFlag>;
}

/** Reads a tenant's flags as they are now: one strongly consistent read, and all of them again only where something changed. */
export type ReadFlags = (tenant: string) => Promise<FlagView>;

interface LoadDeps {
  readonly table: Table;
  readonly files: (tenant: string) => Promise<FileFlags>;
}

interface Loaded {
  readonly version: number;
  readonly view: Promise<FlagView>;
}

const MAX_TENANTS = 1_000;

/** A reader that remembers what it compiled. `files` gives what a tenant has in the configuration. */
export function createFlagReader(table: Table, files: (tenant: string) => Promise<FileFlags>): ReadFlags {
  const known = createCache<Loaded>({ maxEntries: MAX_TENANTS });
  return async (tenant) => {
    const pointer = await retry(() => table.get(setKey(tenant)));
    const version = Number(pointer?.version ?? 0);
    const found = known.get(tenant);
    if (found && found.version >= version) return found.view;
    const view = load({ table, files }, tenant, version, found?.view);
    const loaded = { version, view };
    known.set(tenant, loaded);
    // What failed is tried again by the next request.
    view.catch(() => known.get(tenant) === loaded && known.set(tenant, { version: -1, view }));
    return view;
  };
}

async function load(deps: LoadDeps, tenant: string, version: number, known: Promise<FlagView> | undefined): Promise<FlagView> {
  const { table } = deps;
  const files = await deps.files(tenant);
  const before = await known?.catch(() => undefined);
  const items = new Map<string, Item>();
  for (let after: string | undefined; version > 0; ) {
    const page = await retry(() => table.query({ pk: flagPartition(tenant), after }));
    for (const item of page.items) items.set(item.sk, item);
    if (page.next === undefined) break;
    after = page.next;
  }
  const flags = new Map<string, ViewFlag>();
  for (const key of [...new Set([...files.keys(), ...items.keys()])].sort()) {
    const item = items.get(key);
    const old = before?.flags.get(key);
    const isSame = item !== undefined && old?.record !== undefined && old.record.changeId === item.changeId && old.version === item.version;
    const flag = isSame ? old : viewFlag(key, files.get(key), item);
    if (flag) flags.set(key, flag);
  }
  return { version, flags };
}

function viewFlag(key: string, file: FileFlag | undefined, item: Item | undefined): ViewFlag | undefined {
  const record = item && decodeRecord(item);
  const base = { key, file: file?.file, version: record?.version ?? 0, definition: file?.definition };
  if (record && 'problem' in record) return { ...base, record: undefined, compiled: undefined, problem: record.problem };
  if (file && record?.definition && !record.isDeleted)
    return { ...base, record, compiled: undefined, problem: describeClash(key, file.file) };
  if (file) return ofFile(file, record, base);
  return record?.definition && !record.isDeleted ? ofTable(record, record.definition) : undefined;
}

/** Says of a flag that it is in a file and was written by API. */
export function describeClash(key: string, file: string): string {
  return `flag ${JSON.stringify(key)} is both in ${file} of the configuration and written by API: delete one of them`;
}

type Base = Pick<ViewFlag, 'key' | 'file' | 'version' | 'definition'>;

function ofFile(file: FileFlag, record: FlagRecord | undefined, base: Base): ViewFlag {
  const { rollout: setting, kill } = record ?? {};
  if (!setting) return { ...base, record, compiled: kill ? { ...file.compiled, kill } : file.compiled, problem: undefined };
  const rollout = { ...file.definition.rollout, ...setting, steps: setting.steps ? [...setting.steps] : undefined };
  const definition = { ...file.definition, rollout };
  // Targeting is compiled already, with the evaluators of its file.
  const { rollout: compiledRollout } = compileFlag(base.key, { ...definition, targeting: undefined });
  const isThere = file.compiled.variants.has(setting.variant);
  const problem = isThere
    ? undefined
    : `the rollout that was set of ${base.key} names the variant ${JSON.stringify(setting.variant)}, which its file has no more`;
  return { ...base, definition, record, compiled: isThere ? { ...file.compiled, rollout: compiledRollout, kill } : undefined, problem };
}

function ofTable(record: FlagRecord, definition: FlagDefinition): ViewFlag {
  const base = { key: record.key, file: undefined, version: record.version, record };
  try {
    return { ...base, definition, compiled: compileFlag(record.key, definition, { kill: record.kill }), problem: undefined };
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    return { ...base, definition: undefined, compiled: undefined, problem: error.message };
  }
}
