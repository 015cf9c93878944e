import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, lstatSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { OpsError } from '#core/errors.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import { itself } from './beneath.ts';
import { loadExtendedAttributes } from './extended-attributes.ts';
import { describeFileError, fileError } from './file-errors.ts';
import { readAccounts } from './file-meta.ts';
import { createNameClashes } from './name-clashes.ts';
import { planItem } from './plan-item.ts';
import { type FolderTargetOptions, openTarget, type Target } from './target.ts';
import { tempName } from './temp-names.ts';
import { writeItem } from './write-item.ts';

/**
 * A folder as a target. It is made by the first write. `plan` may be some way ahead of `write`. Items that would replace a
 * folder that is not empty fail with `input`, as do devices, unless they are asked for. Errors: `input` (there is something else), `denied`.
 */
export async function openFolderTarget(path: string, options: FolderTargetOptions = {}): Promise<BackupTarget> {
  assertFolder(path);
  const faults: Target['faults'] = [];
  const newId = options.newId ?? randomUUID;
  const target: Target = {
    path,
    options,
    faults,
    deps: {
      ownership: options.ownership ?? (process.geteuid?.() === 0 ? 'ids' : 'none'),
      accounts: readAccounts(),
      attributes: await loadExtendedAttributes(),
      tell: (itemPath, message) => void faults.push({ path: itemPath, message }),
    },
    newName: () => tempName(newId()),
    kept: [],
    clashes: createNameClashes(),
    isProbed: false,
    isAsked: false,
    opened: undefined,
  };
  return {
    type: 'files',
    name: path,
    plan: (item) => inOurTerms(item.path, () => planItem(target, item)),
    write: (item) => inOurTerms(item.path, () => writeItem(target, item)),
    finish: () => finishTarget(target),
  };
}

async function inOurTerms<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fileError(error, `restore ${path}`);
  }
}

function assertFolder(path: string): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // A link that leads nowhere is something all the same.
    if (there ? !there.isDirectory() : lstatSync(path, { throwIfNoEntry: false }))
      throw new OpsError('input', `${path} is there and is no folder`);
  } catch (error) {
    throw fileError(error, `restore to ${path}`);
  }
}

async function finishTarget(target: Target): Promise<readonly { path: string; message: string }[]> {
  const { path, options, faults } = target;
  // What is restored may be an empty folder.
  if (!target.isAsked) await inOurTerms(path, async () => openTarget(target, true));
  const { opened } = target;
  target.opened = undefined;
  if (!opened) return faults.splice(0);
  try {
    opened.folders.settle();
    if (options.sync === 'end') await syncFileSystem(opened.root);
  } catch (error) {
    faults.push({ path, message: `it could not be brought to the disk: ${describeFileError(error)}` });
  } finally {
    opened.folders.close();
    closeSync(opened.root);
  }
  return faults.splice(0);
}

/** Node has no syncfs(2). */
async function syncFileSystem(root: number): Promise<void> {
  await promisify(execFile)('sync', ['-f', '.'], { cwd: itself(root) });
}
