import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { type Clock, SECOND_MS } from '#core/time.ts';
import type { BusEvent } from '#ports/bus.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Attribute, Changes, Condition, Table } from '#ports/table.ts';
import { type ImportRecord, type ImportState, importItemKey, recordOf } from './import-record.ts';

export interface LeaseDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** The right to work on an import. Every write under it fails with `conflict` once another run has taken over. */
export interface ImportLease {
  /** As it was found. */
  readonly record: ImportRecord;
  /** Writes these attributes and keeps the lease. */
  save(attributes: Readonly<Record<string, Attribute>>): Promise<void>;
  /** Keeps the lease where nothing else has done so of late. */
  keep(): Promise<void>;
  /** Writes these changes and the event as one, and gives the lease up. Done once, whatever gets lost on the way. */
  end(changes: Changes, event: BusEvent): Promise<void>;
  /** Writes these attributes and gives the lease up, unless it is lost. */
  release(attributes: Readonly<Record<string, Attribute>>): Promise<void>;
  /** True once another run is known to have taken over. */
  isLost(): boolean;
}

const LEASE_MS = 30 * SECOND_MS;
/** Well before it ends, however slow the rest is. */
const KEEP_EVERY_MS = LEASE_MS / 3;

const MAX_WAITS = 3;

/**
 * Takes the lease of an import that has not ended, so that two runs at once do not do the same work; it is no more than that, since
 * whatever a run does may be done twice. A lease that nobody keeps any more is waited for: its holder is dead, and this may be the
 * last delivery of its event. One that is kept while we look belongs to somebody who lives, and who will be started again, by a
 * delivery of its own, if he dies. Else what is known of the import: `running` for that case, `waiting` where its file is not there
 * yet, how it ended, or `unknown`.
 */
export async function takeLease(
  deps: LeaseDeps,
  input: { tenant: string; id: string; hasFile: boolean },
): Promise<ImportLease | ImportState | 'unknown'> {
  const key = importItemKey(input);
  const owner = deps.newId();
  let seen: ImportRecord | undefined;
  for (let waits = 0; ; ) {
    const record = await readRecord(deps.table, input);
    if (!record) return 'unknown';
    if (record.state === 'done' || record.state === 'failed') return record.state;
    if (record.state === 'waiting' && !input.hasFile) return 'waiting';
    if (record.owner === owner) return holdLease(deps, owner, record);
    const leftMs = record.owner === undefined ? 0 : (record.leaseUntilMs ?? 0) - deps.now();
    if (leftMs > 0) {
      if (seen && (seen.owner !== record.owner || seen.leaseUntilMs !== record.leaseUntilMs)) return 'running';
      if (waits++ === MAX_WAITS) throw new OpsError('unavailable', `import ${input.id} is held by a run of which nobody has heard`);
      seen = record;
      await deps.sleep(Math.min(leftMs, LEASE_MS) + 1);
      continue;
    }
    const { state, startedAtMs = deps.now() } = record;
    const condition: Condition = { equals: { state, owner: record.owner ?? null, leaseUntilMs: record.leaseUntilMs ?? null } };
    const set = { state: 'running', owner, leaseUntilMs: deps.now() + LEASE_MS, startedAtMs };
    await retry(() => deps.table.update(key, { set }, condition)).catch(unlessConflict);
  }
}

function holdLease({ table, now }: LeaseDeps, owner: string, record: ImportRecord): ImportLease {
  const key = importItemKey(record);
  const condition: Condition = { equals: { owner } };
  let keptAtMs = now();
  let isLost = false;
  const lost = (cause: unknown) => {
    isLost = true;
    return new OpsError('conflict', `another run has taken over import ${record.id}`, { cause });
  };
  const save = async (attributes: Readonly<Record<string, Attribute>>) => {
    keptAtMs = now();
    const set = { ...attributes, leaseUntilMs: keptAtMs + LEASE_MS };
    await retry(() => table.update(key, { set }, condition)).catch((error) => {
      throw isOpsError(error, 'conflict') ? lost(error) : error;
    });
  };
  return {
    record,
    save,
    keep: async () => (now() - keptAtMs < KEEP_EVERY_MS ? undefined : save({})),
    async end(changes, event) {
      const all = { set: { ...changes.set, releasedBy: owner }, remove: [...(changes.remove ?? []), 'owner', 'leaseUntilMs'] };
      const writes = [{ kind: 'update', key, changes: all, condition } as const, outboxWrite(event)];
      await retry(() => table.transact(writes)).catch(async (error) => {
        if (!isOpsError(error, 'conflict')) throw error;
        // A repeat meets its own first success.
        if ((await readRecord(table, record))?.releasedBy !== owner) throw lost(error);
      });
    },
    async release(set) {
      await retry(() => table.update(key, { set, remove: ['owner', 'leaseUntilMs'] }, condition)).catch(unlessConflict);
    },
    isLost: () => isLost,
  };
}

async function readRecord(table: Table, input: { tenant: string; id: string }): Promise<ImportRecord | undefined> {
  const item = await retry(() => table.get(importItemKey(input)));
  return item && recordOf(input.tenant, item);
}

function unlessConflict(error: unknown): void {
  if (!isOpsError(error, 'conflict')) throw error;
}
