import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FolderSourceOptions, openFolderSource } from '#local/backup/folder-source.ts';
import type { BackupSource, SourceFault, SourceItem } from '#ports/backup-source.ts';

/** Some things only root can do, and some only others cannot. */
export const isRoot = process.getuid?.() === 0;

/** Runs with a folder of its own, which is removed afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-folders-'));
  try {
    return await run(folder);
  } finally {
    // Deeper than Node can remove.
    execFileSync('rm', ['-rf', folder]);
  }
}

export interface Listed {
  readonly items: SourceItem[];
  readonly faults: SourceFault[];
}

/** All items of a source from a cursor on, and the faults. */
export async function listAll(source: BackupSource, after?: string): Promise<Listed> {
  const faults: SourceFault[] = [];
  const items: SourceItem[] = [];
  for await (const item of source.list({ after, onFault: (fault) => void faults.push(fault) })) items.push(item);
  return { items, faults };
}

export async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** Runs with a source over a folder that has been filled. */
export async function withSource<T>(
  fill: (folder: string) => Promise<unknown>,
  use: (source: BackupSource, folder: string) => Promise<T>,
  options: Partial<FolderSourceOptions> = {},
): Promise<T> {
  return withFolder(async (folder) => {
    await fill(folder);
    const source = await openFolderSource(folder, { clock: Date.now, ...options });
    try {
      return await use(source, folder);
    } finally {
      await source.close();
    }
  });
}

/** The paths of a source's items. */
export const paths = async (source: BackupSource, after?: string) => (await listAll(source, after)).items.map(({ path }) => path);
/** One item of a source, and all there are. */
export const itemOf = async (source: BackupSource, path: string) => {
  const listed = await listAll(source);
  const item = listed.items.find((one) => one.path === path);
  if (!item) throw new Error(`no item ${path}`);
  return { ...listed, item };
};
