import { closeSync, constants, fsync, fsyncSync, openSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import type { RestoredItem } from '#ports/backup-target.ts';
import { applyHeldMeta, applyLinkMeta, applyMeta } from './apply-meta.ts';
import { at, holdAt } from './beneath.ts';
import { hasCode } from './file-errors.ts';
import { makeSpecial } from './make-special.ts';
import { type Checked, checkItem, isDurable, type Opened, openTarget, type Target } from './target.ts';
import { idAt, lookAt, loosen, makeFolder, mayHold, type TargetFolders } from './target-folders.ts';
import { writeContent } from './write-content.ts';

/** Creates or replaces what an item says. */
export async function writeItem(target: Target, item: RestoredItem): Promise<void> {
  target.isAsked = true;
  const wanted = checkItem(target, item);
  const { path, kind, parents } = wanted;
  const { root, folders } = openTarget(target, true) as Opened;
  noteName(target, root, wanted.names);
  folders.settle(path);
  waitForKept(target, folders, path);
  const folder = folders.enter(parents);
  if (kind === 'dir') writeFolder(target, folders, folder, wanted);
  else await writeThing(target, { root, folders }, folder, wanted, item);
}

/** Folders that are kept must be as they were after something has been written into them. */
function waitForKept({ kept }: Target, folders: TargetFolders, path: string): void {
  for (const folder of kept.splice(0)) {
    if (path.startsWith(`${folder.path}/`)) folders.wait(folder);
    else if (mayHold(folder.path, path)) kept.push(folder);
  }
}

function writeFolder(target: Target, folders: TargetFolders, parent: number, { path, name, names, meta }: Checked): void {
  const there = lookAt(parent, name);
  if (there && !there.isDirectory()) unlinkSync(at(parent, name));
  const isMade = makeFolder(parent, name, isDurable(target));
  const before = isMade ? undefined : loosen(parent, name);
  folders.wait({ names, path, meta: { ...before?.meta, ...meta }, id: idAt(parent, name) });
}

/** Made under another name beside its place, and complete when it takes that. */
async function writeThing(target: Target, opened: Opened, folder: number, wanted: Checked, item: RestoredItem): Promise<void> {
  const temp = target.newName();
  try {
    if (wanted.kind === 'file') await writeFile(target, folder, temp, wanted, item);
    else await writeSpecial(target, opened.root, folder, temp, wanted);
    place(opened.folders, folder, temp, wanted);
  } catch (error) {
    removeIfThere(folder, temp);
    throw error;
  }
  // Another name of what has that name already is not moved but stays.
  if (wanted.kind === 'hardlink') removeIfThere(folder, temp);
  if (isDurable(target)) fsyncSync(folder);
}

function removeIfThere(folder: number, name: string): void {
  try {
    unlinkSync(at(folder, name));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

async function writeFile(target: Target, folder: number, temp: string, wanted: Checked, item: RestoredItem): Promise<void> {
  const { path, meta, sizeBytes } = wanted;
  const handle = openSync(at(folder, temp), NEW_FILE, meta.mode === undefined ? 0o666 : 0o600);
  try {
    await writeContent(handle, { path, sizeBytes, content: item.content, sparse: meta.sparse ?? false });
    applyMeta(target.deps, { path, handle, place: at(folder, temp) as string, isFolder: false }, meta);
    if (isDurable(target)) await promisify(fsync)(handle);
  } finally {
    closeSync(handle);
  }
}

async function writeSpecial(target: Target, root: number, folder: number, temp: string, wanted: Checked): Promise<void> {
  const { path, kind, meta } = wanted;
  const spare = target.newName();
  await makeSpecial(root, folder, temp, spare, wanted);
  const where = at(folder, temp) as string;
  if (kind === 'symlink') applyLinkMeta(target.deps, path, where, meta);
  if (kind === 'symlink' || kind === 'hardlink') return;
  const handle = holdAt(folder, temp);
  try {
    applyHeldMeta(target.deps, { path, handle, place: where, isFolder: false }, meta);
  } finally {
    closeSync(handle);
  }
}

function place(folders: TargetFolders, folder: number, temp: string, { name, names }: Checked): void {
  try {
    renameSync(at(folder, temp), at(folder, name));
  } catch (error) {
    if (!hasCode(error, 'EISDIR', 'EEXIST', 'ENOTEMPTY')) throw error;
    rmdirSync(at(folder, name));
    folders.forget(names);
    renameSync(at(folder, temp), at(folder, name));
  }
}

function noteName(target: Target, root: number, names: readonly string[]): void {
  if (!target.isProbed && !foldsCase(target, root)) target.clashes = undefined;
  target.isProbed = true;
  target.clashes?.check(names);
  target.clashes?.note(names);
}

function foldsCase({ options, newName }: Target, root: number): boolean {
  if (options.foldsCase !== undefined) return options.foldsCase;
  const name = newName();
  try {
    closeSync(openSync(at(root, name), NEW_FILE, 0o600));
  } catch (error) {
    // What may be written to lies deeper.
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
  try {
    return lookAt(root, name.toUpperCase()) !== undefined;
  } finally {
    removeIfThere(root, name);
  }
}
