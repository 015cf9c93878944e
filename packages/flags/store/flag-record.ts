import { OpsError } from '#core/errors.ts';
import { Kill } from '#flags/compile-flag.ts';
import { type FlagDefinition, Rollout, type RolloutStep, readFlagDefinition } from '#flags/flag-definition.ts';
import type { Item, ItemKey } from '#ports/table.ts';

/** What was set by hand of a file's flag: it stands before what the file says. */
export interface RolloutSetting {
  readonly variant: string;
  readonly percentage: number;
  readonly steps?: readonly RolloutStep[] | undefined;
}

/** What the table holds of a flag: one that was written by API, or what was set of a file's. */
export interface FlagRecord {
  readonly key: string;
  /** Raised by every change; a flag that is made again goes on counting. */
  readonly version: number;
  /** The change that made it so: who finds his own has written it. */
  readonly changeId: string;
  readonly isDeleted: boolean;
  /** Of a flag written by API, as it was parsed. */
  readonly definition?: FlagDefinition | undefined;
  readonly rollout?: RolloutSetting | undefined;
  readonly kill?: Kill | undefined;
  readonly boundTo?: string | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A record that cannot be read: damaged, or of a later form. */
export interface DamagedRecord {
  readonly key: string;
  readonly version: number;
  readonly problem: string;
}

/** Where a tenant's flags lie, by their names. */
export const flagPartition = (tenant: string): string => `flags/${tenant}`;

/** The item whose version every change of a flag raises: who knows it knows the flags. Each tenant's is a partition of its own, since each evaluation reads it. */
export const setKey = (tenant: string): ItemKey => ({ pk: `flags/set/${tenant}`, sk: 'version' });

const FIELDS = ['definition', 'rollout', 'kill'] as const;

/** The record as an item. */
export function encodeRecord(tenant: string, record: FlagRecord): Item {
  const { key, version, changeId, isDeleted, boundTo, createdAtMs, updatedAtMs } = record;
  const item: Record<string, string | number | boolean | undefined> = { version, changeId, isDeleted, boundTo, createdAtMs, updatedAtMs };
  for (const field of FIELDS) item[field] = record[field] && JSON.stringify(record[field]);
  return { pk: flagPartition(tenant), sk: key, ...item };
}

/** The record of an item; one that is damaged says how. */
export function decodeRecord(item: Item): FlagRecord | DamagedRecord {
  const key = item.sk;
  const version = typeof item.version === 'number' ? item.version : 0;
  try {
    const [definition, rollout, kill] = FIELDS.map((field) => (item[field] === undefined ? undefined : JSON.parse(String(item[field]))));
    return {
      ...{ key, version, changeId: String(item.changeId), isDeleted: item.isDeleted === true },
      definition: definition === undefined ? undefined : readFlagDefinition(definition, `flags.${key}`),
      rollout: rollout === undefined ? undefined : Rollout.parse(rollout),
      kill: kill === undefined ? undefined : Kill.parse(kill),
      boundTo: item.boundTo === undefined ? undefined : String(item.boundTo),
      createdAtMs: Number(item.createdAtMs),
      updatedAtMs: Number(item.updatedAtMs),
    };
  } catch (cause) {
    return { key, version, problem: `what is stored of flag ${JSON.stringify(key)} cannot be read: ${(cause as Error).message}` };
  }
}

/** The record, where it is whole. `unavailable` is no kind for damage: a repetition reads the same. */
export function wholeRecord(item: Item | undefined): FlagRecord | undefined {
  const record = item && decodeRecord(item);
  if (record && 'problem' in record) {
    throw new OpsError('conflict', record.problem, { hint: 'Write it anew: PUT /api/flags/{key} with If-Match: *.' });
  }
  return record;
}
