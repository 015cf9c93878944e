import { retry } from '#core/retry.ts';
import type { Table, Write } from '#ports/table.ts';

/** A release in a slot, and its version. */
export interface Placed {
  readonly id: string;
  readonly version: string;
}

/** What has an environment of an application: at most one release is active in it, and at most one waits. */
export interface Slot {
  /** 0 where nothing was ever released. */
  readonly rev: number;
  readonly active?: Placed | undefined;
  /** The newest that waits; one that was replaced here is over. */
  readonly queued?: Placed | undefined;
  /** The last that was promoted. */
  readonly promoted?: Placed | undefined;
}

export interface SlotKey {
  readonly tenant: string;
  readonly application: string;
  readonly environment: string;
}

function keyOf({ tenant, application, environment }: SlotKey) {
  return { pk: `releases/slots/${tenant}`, sk: `${application}/${environment}` };
}

export async function readSlot(table: Table, slot: SlotKey): Promise<Slot> {
  const item = await retry(() => table.get(keyOf(slot)));
  return item ? { ...(JSON.parse(String(item.slot)) as Omit<Slot, 'rev'>), rev: Number(item.rev) } : { rev: 0 };
}

/** The write that puts a slot in place of the one that was read; it fails with its transaction where somebody else was first. */
export function slotWrite(key: SlotKey, { rev }: Slot, after: Omit<Slot, 'rev'>): Write {
  const condition = rev === 0 ? { exists: false } : { equals: { rev } };
  return { kind: 'put', item: { ...keyOf(key), rev: rev + 1, slot: JSON.stringify(after) }, condition };
}

/** The write that only makes sure that the slot is as it was read. */
export function slotCheck(key: SlotKey, { rev }: Slot): Write {
  return { kind: 'check', key: keyOf(key), condition: rev === 0 ? { exists: false } : { equals: { rev } } };
}
