import { type BigIntStats, chmodSync, closeSync, fstatSync, fsyncSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { OpsError } from '#core/errors.ts';
import { at, holdFolderAt, itself, openFolderAt, withFolder } from './beneath.ts';
import { hasCode } from './file-errors.ts';
import type { FileMeta } from './file-meta.ts';
import { comparePaths } from './path-names.ts';
import { isTempName } from './temp-names.ts';

/** Folders that are made have this mode until they are finished: what is in them is nobody else's before. */
const WORKING_MODE = 0o700;

/** A folder whose mode and times have to wait until all that belongs into it is there. */
export interface PendingFolder {
  readonly names: readonly string[];
  readonly path: string;
  readonly meta: FileMeta;
  readonly id: string;
  /** No item describes it: all it is given is the mode that it had. */
  readonly isLoosened?: boolean | undefined;
}

export interface TargetFolders {
  /** The folder that the names lead to, open to be written to, made where it is not there. No link is followed. */
  enter(names: readonly string[]): number;
  /** Calls with a folder that is there; throws as open(2) does where it is not, or where a link is on the way. */
  look<T>(names: readonly string[], call: (folder: number) => T): T;
  /** To be called when something else took the place of a folder. */
  forget(names: readonly string[]): void;
  /** Finishes a folder once nothing can belong into it any more. */
  wait(pending: PendingFolder): void;
  /** Finishes those that nothing at the path or behind it can belong into; all, without a path. */
  settle(path?: string): void;
  close(): void;
}

export interface FolderDeps {
  readonly root: number;
  readonly isDurable: boolean;
  readonly finish: (pending: PendingFolder, handle: number) => void;
  readonly onFault: (path: string, error: unknown) => void;
}

interface Link {
  readonly name: string;
  readonly handle: number;
}

/**
 * The folders of a target on the way to the one that is written to, held open: items come in order, so most are where the one before was. And
 * those that wait to be finished, which nest as parentheses do in that order: the last one that came is the first to be done.
 */
export function createTargetFolders({ root, isDurable, finish, onFault }: FolderDeps): TargetFolders {
  const chain: Link[] = [];
  const pending: PendingFolder[] = [];

  const cut = (length: number) => {
    while (chain.length > length) closeSync((chain.pop() as Link).handle);
  };
  const sharedLength = (names: readonly string[]) => {
    let shared = 0;
    while (shared < chain.length && shared < names.length && chain[shared].name === names[shared]) shared++;
    return shared;
  };
  const enter = (names: readonly string[]) => {
    cut(sharedLength(names));
    for (let i = chain.length; i < names.length; i++) {
      const { handle, loosened } = openWritable(chain.at(-1)?.handle ?? root, names[i], isDurable);
      chain.push({ name: names[i], handle });
      if (loosened) waitUnlessKnown(names.slice(0, i + 1), loosened);
    }
    return chain.at(-1)?.handle ?? root;
  };
  const waitUnlessKnown = (names: readonly string[], { meta, id }: Loosened) => {
    const path = names.join('/');
    if (!pending.some((one) => one.path === path)) pending.push({ names, path, meta, id, isLoosened: true });
  };
  const finishLast = () => {
    const last = pending.pop() as PendingFolder;
    cut(Math.min(chain.length, sharedLength(last.names.slice(0, -1))));
    try {
      withFolder(root, last.names.slice(0, -1), (parent) => {
        const handle = openFolderAt(parent, last.names.at(-1) as string);
        try {
          // Another one that came into its place is not it.
          if (idOf(fstatSync(handle, { bigint: true })) === last.id) finish(last, handle);
        } finally {
          closeSync(handle);
        }
      });
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) onFault(last.path, error);
    }
  };
  return {
    enter,
    look: (names, call) => {
      const shared = sharedLength(names);
      return withFolder(shared === 0 ? root : chain[shared - 1].handle, names.slice(shared), call);
    },
    forget: (names) => cut(Math.min(chain.length, sharedLength(names) === names.length ? names.length - 1 : chain.length)),
    wait: (one) => {
      const known = pending.findIndex(({ path }) => path === one.path);
      if (known >= 0) pending[known] = one;
      else pending.push(one);
    },
    settle: (path) => {
      while (pending.length > 0 && (path === undefined || !mayHold((pending.at(-1) as PendingFolder).path, path))) finishLast();
    },
    close: () => cut(0),
  };
}

/** Whether something at the path or behind it in the order of items can lie in the folder. */
export function mayHold(folder: string, path: string): boolean {
  const prefix = `${folder}/`;
  return path.startsWith(prefix) || comparePaths(path, prefix) < 0;
}

export function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** What a folder was like that had to be made writable first. */
export interface Loosened {
  readonly meta: FileMeta;
  readonly id: string;
}

function openWritable(parent: number, name: string, isDurable: boolean): { handle: number; loosened?: Loosened | undefined } {
  if (makeFolder(parent, name, isDurable)) return { handle: openFolderAt(parent, name) };
  const loosened = loosen(parent, name);
  const handle = openFolderAt(parent, name);
  removeLeftovers(handle);
  return { handle, loosened };
}

/** True if it made the folder, false if something is there. */
export function makeFolder(parent: number, name: string, isDurable: boolean): boolean {
  try {
    mkdirSync(at(parent, name), WORKING_MODE);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  if (isDurable) fsyncSync(parent);
  return true;
}

/** Lets the one who restores into a folder of his that he may not write to. */
export function loosen(parent: number, name: string): Loosened | undefined {
  const held = holdFolderAt(parent, name);
  try {
    const stats = fstatSync(held, { bigint: true });
    const mode = Number(stats.mode & 0o7777n);
    const uid = process.geteuid?.();
    if (uid === 0 || BigInt(uid ?? -1) !== stats.uid || (mode & WORKING_MODE) === WORKING_MODE) return undefined;
    chmodSync(itself(held), mode | WORKING_MODE);
    return { meta: { mode }, id: idOf(stats) };
  } finally {
    closeSync(held);
  }
}

/** A restore that was killed leaves the file that it was writing. */
function removeLeftovers(folder: number): void {
  for (const name of readdirSync(itself(folder), 'latin1')) {
    if (!isTempName(name) || lstatSync(at(folder, name)).isDirectory()) continue;
    try {
      unlinkSync(at(folder, name));
    } catch (error) {
      // Somebody else's, and none of ours.
      if (!hasCode(error, 'ENOENT', 'EPERM', 'EACCES')) throw error;
    }
  }
}

/** What a folder is told from others by, also from one that took its place. */
export function idAt(parent: number, name: string): string {
  const held = holdFolderAt(parent, name);
  try {
    return idOf(fstatSync(held, { bigint: true }));
  } finally {
    closeSync(held);
  }
}

/** What is at a name; undefined for nothing. */
export function lookAt(folder: number, name: string): BigIntStats | undefined {
  return lstatSync(at(folder, name), { bigint: true, throwIfNoEntry: false });
}

/** `input` for names of our own, which a restore may remove at any time. */
export function assertNotTemp(path: string, name: string): void {
  if (isTempName(name)) throw new OpsError('input', `${path} is named as what a restore that was killed leaves behind`);
}
