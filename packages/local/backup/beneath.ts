import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { OpsError } from '#core/errors.ts';
import { encodeName } from './path-names.ts';

// Node has no openat. On Linux `/proc/self/fd/N/name` does the same: the link is to the very folder that N has open, wherever its path leads
// by now, and `name` is one component below it. So no path of more than one component is ever handed to the system.

/** Of open(2), which Node does not name: a handle that needs no permission and only says where. */
const O_PATH = 0o10000000;
const FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Where a name lies in a folder that is open; not followed by calls that follow no last link. */
export function at(folder: number, name: string): string | Buffer {
  if (name.isWellFormed()) return `/proc/self/fd/${folder}/${name}`;
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), encodeName(name) as Buffer]);
}

/** What a handle has open, for calls that want a path: they reach it even if it has no name any more. */
export function itself(handle: number): string {
  return `/proc/self/fd/${handle}`;
}

/** Opens the folder of a path that the user wrote; a link there is followed, as everywhere. */
export function openRoot(path: string): number {
  if (!existsSync('/proc/self/fd'))
    throw new OpsError('unavailable', 'folders are backed up and restored on Linux only, with /proc mounted');
  return openSync(path, constants.O_DIRECTORY | constants.O_RDONLY);
}

/** Opens a folder in a folder to list it; fails with ENOTDIR or ELOOP where it is a link. */
export function openFolderAt(folder: number, name: string): number {
  return openSync(at(folder, name), FOLDER | constants.O_RDONLY);
}

/** Holds a folder in a folder, readable or not. */
export function holdFolderAt(folder: number, name: string): number {
  return openSync(at(folder, name), FOLDER | O_PATH);
}

/** Holds whatever has the name, the link itself where it is one. */
export function holdAt(folder: number, name: string): number {
  return openSync(at(folder, name), O_PATH | constants.O_NOFOLLOW);
}

/** Calls with the folder that the names lead to from `root`, held meanwhile; no link is followed on the way. */
export function withFolder<T>(root: number, names: readonly string[], call: (folder: number) => T): T {
  let folder = root;
  try {
    for (const name of names) {
      const next = holdFolderAt(folder, name);
      if (folder !== root) closeSync(folder);
      folder = next;
    }
    return call(folder);
  } finally {
    if (folder !== root) closeSync(folder);
  }
}
