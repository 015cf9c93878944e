import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { FlagChanged } from '#model/flag-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import { auditWrite } from './audit.ts';
import { decodeRecord, encodeRecord, type FlagRecord, flagPartition, setKey, wholeRecord } from './flag-record.ts';
import type { FileFlags } from './flag-view.ts';
import { type CurrentFlag, effectiveDefinition, type PlannedChange } from './plan-change.ts';

export interface ChangeDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly files: (tenant: string) => Promise<FileFlags>;
}

/** Who changes which flag, and why. */
export interface ChangeInput {
  readonly tenant: string;
  readonly key: string;
  readonly by: string;
  readonly reason: string;
  /** A flag whose record is damaged may be written over. */
  readonly overDamage?: boolean | undefined;
}

const ATTEMPTS = 10;

/** What the table and the files hold of a flag. */
export async function readCurrent(
  deps: Pick<ChangeDeps, 'table' | 'files'>,
  tenant: string,
  key: string,
  overDamage = false,
): Promise<CurrentFlag> {
  const item = await retry(() => deps.table.get({ pk: flagPartition(tenant), sk: key }));
  const file = (await deps.files(tenant)).get(key);
  // Of a file's flag only settings can be damaged, and it has to be possible to turn it off.
  const read = item && (overDamage || file) ? decodeRecord(item) : undefined;
  // What cannot be read counts as deleted, and its version goes on.
  const damaged =
    read && 'problem' in read ? { key, version: read.version, changeId: '', isDeleted: true, createdAtMs: 0, updatedAtMs: 0 } : undefined;
  return { key, record: damaged ?? wholeRecord(item), file };
}

/**
 * Reads the flag, plans, and commits flag, version of the set, audit and event at once, on condition that the flag is as it was read; again from
 * the start where it is not. An answer that was lost is found again by the id of the change. Gives what holds then.
 */
export async function changeFlag(
  deps: ChangeDeps,
  input: ChangeInput,
  plan: (current: CurrentFlag) => PlannedChange,
): Promise<CurrentFlag> {
  const changeId = deps.newId();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const current = await readCurrent(deps, input.tenant, input.key, input.overDamage);
    if (current.record?.changeId === changeId) return current;
    const planned = plan(current);
    if (!planned) return current;
    const record = nextRecord(current, planned, { changeId, nowMs: deps.now() });
    if (await commit(deps.table, input, current, record, planned)) return { ...current, record };
  }
  throw new OpsError('unavailable', `flag ${JSON.stringify(input.key)} is being changed by others all the time`, { retryAfterMs: 1_000 });
}

function nextRecord(
  { key, record }: CurrentFlag,
  { next }: NonNullable<PlannedChange>,
  at: { changeId: string; nowMs: number },
): FlagRecord {
  const { changeId, nowMs } = at;
  return { ...next, key, version: (record?.version ?? 0) + 1, changeId, createdAtMs: record?.createdAtMs || nowMs, updatedAtMs: nowMs };
}

async function commit(
  table: Table,
  input: ChangeInput,
  current: CurrentFlag,
  record: FlagRecord,
  { action }: NonNullable<PlannedChange>,
): Promise<boolean> {
  const { tenant } = input;
  const condition = current.record ? { equals: { version: current.record.version } } : { exists: false };
  const writes: Write[] = [
    { kind: 'update', key: setKey(tenant), changes: { add: { version: 1 } } },
    { kind: 'put', item: encodeRecord(tenant, record), condition },
    auditWrite(tenant, { ...input, action, before: current.record, after: record }),
    outboxWrite({ source: 'quarterdeck.flags', detailType: 'Flag Changed', detail: changedDetail(input, current, record, action) }),
  ];
  try {
    await retry(() => table.transact(writes));
    return true;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return false;
  }
}

function changedDetail(
  { tenant, key, by, reason }: ChangeInput,
  current: CurrentFlag,
  record: FlagRecord,
  action: FlagChanged['action'],
): FlagChanged {
  const from = effectiveDefinition(current)?.rollout?.percentage;
  const to = effectiveDefinition({ ...current, record })?.rollout?.percentage;
  return {
    ...{
      id: record.changeId,
      tenant,
      at: new Date(record.updatedAtMs).toISOString(),
      flag: key,
      version: record.version,
      action,
      by,
      reason,
    },
    ...(from !== undefined && { fromPercentage: from }),
    ...(to !== undefined && { toPercentage: to }),
    ...(record.boundTo !== undefined && { release: record.boundTo }),
  };
}
