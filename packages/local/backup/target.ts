import { closeSync, fchmodSync, fsyncSync } from 'node:fs';
import { dirname } from 'node:path';
import { OpsError } from '#core/errors.ts';
import type { RestoredItem } from '#ports/backup-target.ts';
import { applyMeta, type MetaDeps, type Ownership } from './apply-meta.ts';
import { itself, openRoot } from './beneath.ts';
import type { Wanted } from './compare-item.ts';
import { describeFileError, hasCode } from './file-errors.ts';
import { readFileMeta } from './file-meta.ts';
import { makeFolders } from './make-folders.ts';
import type { NameClashes } from './name-clashes.ts';
import { splitPath } from './path-names.ts';
import { assertNotTemp, createTargetFolders, type PendingFolder, type TargetFolders } from './target-folders.ts';

export interface FolderTargetOptions {
  /** Default `ids` for root, and `none` for others, who may not give files away. */
  readonly ownership?: Ownership | undefined;
  /** Makes device files, which only root can; default no. */
  readonly devices?: boolean | undefined;
  /**
   * When what is written is brought to the disk: `each` (the default) before `write` resolves, as the port asks; `end` once, in `finish`, which is
   * faster by far for small files; `never`.
   */
  readonly sync?: 'each' | 'end' | 'never' | undefined;
  /** Whether the file system takes `A` for `a`; found out by default. */
  readonly foldsCase?: boolean | undefined;
  /** 16 to 36 characters of `0-9a-f-`, each time others. */
  readonly newId?: (() => string) | undefined;
}

/** The target's folder while it is open. */
export interface Opened {
  readonly root: number;
  readonly folders: TargetFolders;
}

/** A target between its calls. */
export interface Target {
  readonly path: string;
  readonly options: FolderTargetOptions;
  readonly deps: MetaDeps;
  readonly newName: () => string;
  readonly faults: { path: string; message: string }[];
  /** Folders that were planned to be kept; they must be as they were when things have been written into them. */
  readonly kept: PendingFolder[];
  /** Undefined once it is known that there are none. */
  clashes: NameClashes | undefined;
  isProbed: boolean;
  /** Whether there has been an item. */
  isAsked: boolean;
  opened: Opened | undefined;
}

/** An item that may be restored, with its path taken apart. */
export interface Checked extends Wanted {
  readonly names: readonly string[];
  readonly parents: readonly string[];
  readonly name: string;
}

const plainKinds = new Set(['file', 'dir', 'symlink', 'hardlink', 'fifo', 'socket']);

/** `input` for an item that cannot be restored to a folder, wherever it is. */
export function checkItem({ options }: Target, { path, kind, meta, sizeBytes }: Omit<RestoredItem, 'content'>): Checked {
  const names = splitPath(path);
  const name = names.at(-1) as string;
  for (const one of names) assertNotTemp(path, one);
  if ((kind === 'char' || kind === 'block') && !options.devices) {
    throw new OpsError('input', `${path} is a device, and those are not restored unless it is asked for`);
  }
  // An object of a bucket becomes a file.
  const known = kind === 'object' ? 'file' : kind;
  if (!plainKinds.has(known) && known !== 'char' && known !== 'block')
    throw new OpsError('input', `${path} is a thing of the kind ${kind}, which no folder can hold`);
  return {
    path,
    kind: known,
    meta: kind === 'object' ? {} : readFileMeta(path, meta),
    sizeBytes,
    names,
    parents: names.slice(0, -1),
    name,
  };
}

/** The target's folder, open; undefined where it is not there and is not to be made. */
export function openTarget(target: Target, isMade: boolean): Opened | undefined {
  if (target.opened) return target.opened;
  const { path, deps, faults } = target;
  if (isMade) makeRoot(path, isDurable(target));
  let root: number;
  try {
    root = openRoot(path);
  } catch (error) {
    if (!isMade && hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const finish = (pending: PendingFolder, handle: number) => {
    if (pending.isLoosened) fchmodSync(handle, pending.meta.mode as number);
    else applyMeta(deps, { path: pending.path, handle, place: `${itself(handle)}/.`, isFolder: true }, pending.meta);
    if (isDurable(target)) fsyncSync(handle);
  };
  const onFault = (itemPath: string, error: unknown) => faults.push({ path: itemPath, message: describeFileError(error) });
  target.opened = { root, folders: createTargetFolders({ root, isDurable: isDurable(target), finish, onFault }) };
  return target.opened;
}

/** For its owner alone, until somebody says otherwise: who could look into the folder that was backed up is not known. */
function makeRoot(path: string, isOnDisk: boolean): void {
  for (const made of makeFolders(path, 0o700)) {
    if (!isOnDisk) return;
    const parent = openRoot(dirname(made));
    fsyncSync(parent);
    closeSync(parent);
  }
}

/** Whether everything is on the disk before its writing resolves. */
export function isDurable({ options }: Target): boolean {
  return (options.sync ?? 'each') === 'each';
}
