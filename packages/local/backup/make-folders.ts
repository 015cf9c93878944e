import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hasCode } from './file-errors.ts';

/** Makes a folder and those on the way to it, links followed; gives those that it made. The mode is that of the last. Node's own never comes back from `/proc/x`. */
export function makeFolders(path: string, mode = 0o777): readonly string[] {
  const folder = resolve(path);
  try {
    mkdirSync(folder, mode);
    return [folder];
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return [];
    if (!hasCode(error, 'ENOENT') || folder === '/') throw error;
    const made = makeFolders(dirname(folder));
    mkdirSync(folder, mode);
    return [...made, folder];
  }
}
