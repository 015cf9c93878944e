import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { OpsError } from '#core/errors.ts';
import { type FileBlobs, openFileBlobs } from '#local/file-blobs.ts';
import { fileError, hasCode } from './file-errors.ts';
import { makeFolders } from './make-folders.ts';

export interface FolderBlobsOptions {
  /** Whether the folder may be made where it is not there; default no, so that a path with a typing error is told. */
  readonly create?: boolean | undefined;
}

const OBJECTS = 'objects';
const WRITING = 'writing';

/**
 * The Blobs port on a folder that the user names: objects in `objects`, what is being written in `writing`. Any number of processes may have it
 * open, also of several machines that share it: objects are stamped by the file system's clock, and each machine cleans up after itself alone.
 * `missing` where there is none and none is to be made, `input` where the folder holds other things.
 */
export async function openFolderBlobs(path: string, { create = false }: FolderBlobsOptions = {}): Promise<FileBlobs> {
  const folder = join(path, OBJECTS);
  try {
    if (!existsSync(folder)) {
      if (!create) throw new OpsError('missing', `there is no repository in ${path}`, { hint: 'The first backup or copy makes one.' });
      const others = namesIn(path).filter((name) => name !== WRITING && name !== 'lost+found');
      if (others.length > 0) throw new OpsError('input', `${path} is no repository and not empty: it holds ${others[0]}`);
    }
    const tempFolder = join(path, WRITING, hostname());
    // For the owner alone: who can read the objects can try passphrases on the keys.
    for (const needed of [folder, join(path, WRITING), tempFolder]) makeFolders(needed, 0o700);
    return await openFileBlobs({ folder, tempFolder });
  } catch (error) {
    throw fileError(error, `open the repository in ${path}`);
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
