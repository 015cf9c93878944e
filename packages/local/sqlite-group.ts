import type { DatabaseSync } from 'node:sqlite';
import { type ErrorKind, isOpsError } from '#core/errors.ts';
import { applyChanges, conditionFailed, conditionHolds } from '#ports/item-rules.ts';
import type { Changes, Condition, Item, ItemKey } from '#ports/table.ts';
import { decodeItem, encodeItem } from './item-codec.ts';

/** A write as it travels to the thread that commits: checked, its item encoded. */
export type StoredWrite = { readonly key: ItemKey; readonly condition?: Condition | undefined } & (
  | { readonly kind: 'put'; readonly body: Uint8Array; readonly expires: number | null }
  | { readonly kind: 'update'; readonly changes: Changes }
  | { readonly kind: 'delete' | 'check' }
);

/** Writes that take effect all or none; with one write, its item is in the outcome. */
export type WriteUnit = readonly StoredWrite[];

/** What became of a unit: the encoded item of an update, or why nothing was done. */
export type UnitOutcome =
  | { readonly done: true; readonly body?: Uint8Array | undefined }
  | { readonly done: false; readonly kind: ErrorKind; readonly message: string; readonly hint?: string | undefined };

/** Applies units in order in one transaction; each sees those before it. Throws, with nothing done, if SQLite fails. */
export type ApplyGroup = (units: readonly WriteUnit[]) => UnitOutcome[];

type Effect = { readonly key: ItemKey; readonly body?: Uint8Array | undefined; readonly expires?: number | null; readonly keep?: true };

/** Prepares the statements of one connection. */
export function createGroupWriter(db: DatabaseSync): ApplyGroup {
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const select = db.prepare('select body from items where pk = ? and sk = ?');
  const upsert = db.prepare('insert or replace into items (pk, sk, body, expires) values (?, ?, ?, ?)');
  const remove = db.prepare('delete from items where pk = ? and sk = ?');

  const planWrite = (write: StoredWrite): Effect => {
    const { key, condition } = write;
    if (condition !== undefined || write.kind === 'update') {
      const row = select.get(key.pk, key.sk);
      const before = row && decodeItem(key, row.body as Uint8Array);
      if (!conditionHolds(condition, before)) throw conditionFailed(key);
      if (write.kind === 'update') return updated(key, applyChanges(key, before, write.changes));
    }
    if (write.kind === 'put') return write;
    return write.kind === 'check' ? { key, keep: true } : { key };
  };

  const perform = ({ key, body, expires, keep }: Effect) => {
    if (keep) return;
    if (body) upsert.run(key.pk, key.sk, body, expires ?? null);
    else remove.run(key.pk, key.sk);
  };

  const applyUnit = (unit: WriteUnit): UnitOutcome => {
    let effects: Effect[];
    try {
      effects = unit.map(planWrite);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      return { done: false, kind: error.kind, message: error.message, hint: error.hint };
    }
    effects.forEach(perform);
    return { done: true, body: unit[0].kind === 'update' ? effects[0].body : undefined };
  };

  return (units) => {
    begin.run();
    try {
      const outcomes = units.map(applyUnit);
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.isTransaction) db.exec('rollback');
      throw error;
    }
  };
}

function updated(key: ItemKey, item: Item): Effect {
  return { key, body: encodeItem(item), expires: item.expiresAtS ?? null };
}
