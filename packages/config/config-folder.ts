import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { OpsError } from '#core/errors.ts';
import type { ConfigFiles } from './load-config.ts';
import type { ConfigFile } from './pushed-config.ts';
import type { Settings } from './settings.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/** The files of the folder that the settings name; the default folder may be absent. `input` for what cannot be read as text. */
export async function openConfigFolder({ dir, named }: Settings['config']): Promise<ConfigFiles> {
  const folder = await stat(dir).catch(() => undefined);
  if (named && !folder?.isDirectory()) {
    throw new OpsError('input', `QUARTERDECK_CONFIG: got ${JSON.stringify(dir)}; takes a folder that exists`);
  }
  const list = async () => (folder?.isDirectory() ? listFiles(dir) : []);
  return { readFile: (path) => readText(dir, path), list };
}

/** Every file of a folder and of the folders in it, but for hidden ones. `input` for what cannot be read as text. */
export async function readConfigFolder(dir: string): Promise<ConfigFile[]> {
  return Promise.all((await listFiles(dir)).map(async (path) => ({ path, text: (await readText(dir, path)) ?? '' })));
}

async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new OpsError('input', `${dir}: cannot be read as a folder (${cause.code ?? cause.message})`, { cause });
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort();
}

async function readText(dir: string, path: string): Promise<string | undefined> {
  try {
    const full = join(dir, path);
    const { size } = await stat(full);
    if (size > MAX_BYTES) throw new OpsError('input', `${path}: has ${size} bytes; at most ${MAX_BYTES} are read`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(full));
  } catch (error) {
    if (error instanceof OpsError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new OpsError('input', `${path}: is not UTF-8 text`, { cause: error });
    throw new OpsError('input', `${path}: cannot be read (${code ?? (error as Error).message})`, { cause: error });
  }
}
