import { chmodSync, chownSync, fchmodSync, fchownSync, fstatSync, futimesSync, lchownSync, lutimesSync, utimesSync } from 'node:fs';
import { itself } from './beneath.ts';
import type { ExtendedAttributes } from './extended-attributes.ts';
import { describeFileError } from './file-errors.ts';
import type { Accounts, FileMeta } from './file-meta.ts';

/** Whose the restored things are to be: of the numbers kept, of the names kept where they are known here, or of who restores. */
export type Ownership = 'ids' | 'names' | 'none';

export interface MetaDeps {
  readonly ownership: Ownership;
  readonly accounts: Accounts;
  readonly attributes: ExtendedAttributes | undefined;
  /** Told of what could not be set, where that is no reason to do without the thing. */
  readonly tell: (path: string, message: string) => void;
}

/** Node hands times to the system in a double of seconds, which is within this of the nanosecond until 2106, and cut off below. */
const TIME_PRECISION_NS = 480n;

const SET_ID = 0o6000;

/** The owner that a thing is to have; undefined where it is left to who restores. */
export function ownerOf({ ownership, accounts }: Pick<MetaDeps, 'ownership' | 'accounts'>, meta: FileMeta) {
  if (ownership === 'none' || meta.uid === undefined || meta.gid === undefined) return undefined;
  if (ownership === 'ids') return { uid: meta.uid, gid: meta.gid };
  const find = (names: ReadonlyMap<number, string>, name: string | undefined) => [...names].find(([, known]) => known === name)?.[0];
  return { uid: find(accounts.users, meta.user) ?? meta.uid, gid: find(accounts.groups, meta.group) ?? meta.gid };
}

/** The mode that a thing is to have: programs that run as their owner do so only where that is the one they were backed up with. */
export function modeOf({ mode }: FileMeta, isOwned: boolean, isFolder: boolean): number | undefined {
  return mode === undefined || isOwned || isFolder ? mode : mode & ~SET_ID;
}

export interface MetaPlace {
  /** For messages. */
  readonly path: string;
  readonly handle: number;
  /** Where calls reach it that follow no last link. */
  readonly place: string;
  readonly isFolder: boolean;
}

/** Gives what a handle has open its owner, attributes, mode and times, in the order in which none undoes another. */
export function applyMeta(deps: MetaDeps, { path, handle, place, isFolder }: MetaPlace, meta: FileMeta): void {
  const isOwned = giveTo(deps, path, meta, (owner) => {
    const there = fstatSync(handle);
    if (there.uid !== owner.uid || there.gid !== owner.gid) fchownSync(handle, owner.uid, owner.gid);
  });
  for (const fault of deps.attributes?.write(place, settable(meta)) ?? []) deps.tell(path, fault);
  const mode = modeOf(meta, isOwned, isFolder);
  if (mode !== undefined) fchmodSync(handle, mode);
  if (meta.mtimeNs !== undefined) futimesSync(handle, toSeconds(meta.mtimeNs), toSeconds(meta.mtimeNs));
}

/** As `applyMeta` for what cannot be opened without an effect, and is only held. */
export function applyHeldMeta(deps: MetaDeps, { path, handle, place }: MetaPlace, meta: FileMeta): void {
  const self = itself(handle);
  const isOwned = giveTo(deps, path, meta, ({ uid, gid }) => chownSync(self, uid, gid));
  for (const fault of deps.attributes?.write(place, settable(meta)) ?? []) deps.tell(path, fault);
  const mode = modeOf(meta, isOwned, false);
  if (mode !== undefined) chmodSync(self, mode);
  if (meta.mtimeNs !== undefined) utimesSync(self, toSeconds(meta.mtimeNs), toSeconds(meta.mtimeNs));
}

/** As `applyMeta` for a link, which has no mode, and which only calls by its name reach. */
export function applyLinkMeta(deps: MetaDeps, path: string, place: string, meta: FileMeta): void {
  giveTo(deps, path, meta, ({ uid, gid }) => lchownSync(place, uid, gid));
  for (const fault of deps.attributes?.write(place, settable(meta)) ?? []) deps.tell(path, fault);
  if (meta.mtimeNs !== undefined) lutimesSync(place, toSeconds(meta.mtimeNs), toSeconds(meta.mtimeNs));
}

function giveTo(deps: MetaDeps, path: string, meta: FileMeta, give: (owner: { uid: number; gid: number }) => void): boolean {
  const owner = ownerOf(deps, meta);
  if (!owner) return false;
  try {
    give(owner);
    return true;
  } catch (error) {
    deps.tell(path, `its owner could not be set to ${owner.uid}:${owner.gid}: ${describeFileError(error)}`);
    return false;
  }
}

/** Attributes of the system, such as capabilities of a program, are for root to give. */
function settable({ xattrs = {} }: FileMeta): { readonly [name: string]: string } {
  if (process.geteuid?.() === 0) return xattrs;
  return Object.fromEntries(Object.entries(xattrs).filter(([name]) => !/^(?:security|trusted)\./.test(name)));
}

/** Decimal text, since Node takes a negative number for now, and since text becomes the nearest double in one step. */
function toSeconds(ns: string): string {
  const value = BigInt(ns);
  const size = value < 0n ? -value : value;
  return `${value < 0n ? '-' : ''}${size / 1_000_000_000n}.${(size % 1_000_000_000n).toString().padStart(9, '0')}`;
}

/** Whether a time on the disk is the one kept, as exactly as it could be set. */
export function isSameTime(there: bigint, kept: string): boolean {
  const apart = there - BigInt(kept);
  return (apart < 0n ? -apart : apart) <= TIME_PRECISION_NS;
}
