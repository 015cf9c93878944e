import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, lstatSync, renameSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { OpsError } from '#core/errors.ts';
import { at, itself, withFolder } from './beneath.ts';
import { describeFileError, hasCode } from './file-errors.ts';
import type { FileMeta } from './file-meta.ts';
import { encodeName, splitPath } from './path-names.ts';

const run = promisify(execFile);

export interface SpecialItem {
  readonly path: string;
  readonly kind: string;
  readonly meta: FileMeta;
}

/** Makes what is no file and no folder under a name that is free, with no owner, mode and times yet; `spare` is free too. */
export async function makeSpecial(root: number, folder: number, name: string, spare: string, item: SpecialItem): Promise<void> {
  const { path, kind, meta } = item;
  if (kind === 'symlink') symlinkSync(linkTarget(path, meta), at(folder, name));
  else if (kind === 'hardlink') makeHardLink(root, folder, name, item);
  else if (kind === 'socket') await makeSocket(folder, name, spare);
  else await makeNode(folder, name, item);
}

/** The bytes of where a symlink leads; `input` for what no link can say. */
export function linkTarget(path: string, { target }: FileMeta): Buffer {
  const bytes = target === undefined || target === '' || target.includes('\0') ? undefined : encodeName(target);
  if (!bytes) throw new OpsError('input', `where the link ${path} leads is not said, or nothing that a link can say`);
  return bytes;
}

/** The names of what a hardlink is another name of. */
export function firstNames(path: string, { target }: FileMeta): readonly string[] {
  if (target === undefined) throw new OpsError('input', `what ${path} is another name of is not said`);
  return splitPath(target);
}

function makeHardLink(root: number, folder: number, name: string, { path, meta }: SpecialItem): void {
  const names = firstNames(path, meta);
  try {
    withFolder(root, names.slice(0, -1), (parent) => {
      const first = at(parent, names.at(-1) as string);
      if (lstatSync(first).isDirectory())
        throw new OpsError('input', `${path} is said to be another name of ${meta.target}, which is a folder`);
      linkSync(first, at(folder, name));
    });
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    throw new OpsError('input', `${path} is another name of ${meta.target}, which has not been restored`, { cause: error });
  }
}

/** What a server leaves that listened at a path. */
async function makeSocket(folder: number, name: string, spare: string): Promise<void> {
  const server = createServer();
  server.listen(`${at(folder, spare)}`);
  await once(server, 'listening');
  // Closing removes the name that it was opened by, if that is there still.
  renameSync(at(folder, spare), at(folder, name));
  server.close();
  await once(server, 'close');
}

async function makeNode(folder: number, name: string, { path, kind, meta }: SpecialItem): Promise<void> {
  const { major = 0, minor = 0 } = meta.device ?? {};
  if (kind !== 'fifo' && !meta.device) throw new OpsError('input', `the numbers of the device ${path} are not said`);
  const args = kind === 'fifo' ? ['p'] : [kind === 'char' ? 'c' : 'b', `${major}`, `${minor}`];
  try {
    // Node cannot make them. The command finds the folder by the handle that it gets from us.
    await run('mknod', ['-m', '600', '--', name, ...args], { cwd: itself(folder) });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const isDenied = /not permitted|denied/i.test(stderr);
    const why = isDenied ? 'not permitted' : stderr.trim() || describeFileError(error);
    throw new OpsError(isDenied ? 'denied' : 'unavailable', `cannot make the ${kind} ${path}: ${why}`, { cause: error });
  }
}
