import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { OpsError } from '#core/errors.ts';
import type { Exclude } from './exclude.ts';
import { fileError, hasCode } from './file-errors.ts';

/** `input` where `folder`, which the backup is written to, would be backed up with `source`. */
export function assertApart(source: string, folder: string, exclude: Exclude): void {
  const inside = relative(realOf(source), realOf(folder));
  const names = inside.split('/');
  if (names[0] === '..') return;
  const isExcluded = inside !== '' && names.some((_, i) => exclude(names.slice(0, i + 1).join('/'), true));
  if (isExcluded) return;
  throw new OpsError('input', `${folder} lies in ${source}: the backup would back itself up`, {
    hint: inside === '' ? 'Choose another folder.' : `Choose another folder, or exclude it with the pattern /${inside}.`,
  });
}

/** Where a path leads in the end, also if its last folders are not made yet. */
function realOf(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || full === '/') throw fileError(error, `find ${path}`);
    return join(realOf(dirname(full)), basename(full));
  }
}

/** True where nothing is there that a restore could overwrite: no such folder, or an empty one. */
export function isEmptyTarget(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'ENOTDIR')) return false;
    throw fileError(error, `look into ${path}`);
  }
}
