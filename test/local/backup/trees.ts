import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type FolderSourceOptions, openFolderSource } from '#local/backup/folder-source.ts';
import type { BackupSource, SourceFault, SourceItem } from '#ports/backup-source.ts';
import type { BackupTarget } from '#ports/backup-target.ts';

/** Some things only root can do, and some only others cannot. */
export const isRoot = process.getuid?.() === 0;

/** Runs with a folder of its own, which is removed afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-folders-'));
  try {
    return await run(folder);
  } finally {
    // Closed to their owner, and deeper than Node can remove.
    if (!isRoot) spawnSync('chmod', ['-Rf', 'u+rwX', folder]);
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

/** Restores what a source has, as a restore does; gives what was planned, and the faults by path. */
export async function copyTree(source: BackupSource, target: BackupTarget, after?: string) {
  const plans: [string, string][] = [];
  const faults: { path: string; message: string }[] = [];
  for await (const item of source.list({ after, onFault: (fault) => void faults.push(fault) })) {
    const content = item.open ? await readAll(item.open(0)) : Buffer.alloc(0);
    const restored = { path: item.path, kind: item.kind, meta: item.meta, sizeBytes: content.length };
    try {
      const plan = await target.plan(restored);
      plans.push([item.path, plan]);
      if (plan !== 'keep') await target.write({ ...restored, content: item.open && pieces(content) });
    } catch (error) {
      faults.push({ path: item.path, message: (error as Error).message });
    }
  }
  return { plans, faults: [...faults, ...(await target.finish())] };
}

/** Bytes as a stream of uneven pieces. */
export async function* pieces(bytes: Uint8Array, size = 70_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All there is to know of a folder's tree, but what no restore can give back: times of changes, and inodes. */
export async function describeTree(folder: string) {
  const source = await openFolderSource(folder, { clock: Date.now });
  const { items, faults } = await listAll(source);
  const described = [];
  const times: bigint[] = [];
  for (const { path, kind, meta, open } of items) {
    const { ctimeNs: _, sparse: _sparse, mtimeNs, ...kept } = meta;
    const content =
      open &&
      createHash('sha256')
        .update(await readAll(open(0)))
        .digest('hex');
    described.push({ path, kind, content, ...kept });
    times.push(BigInt(String(mtimeNs ?? 0)));
  }
  await source.close();
  return { described, faults, times };
}

/** The same but for what Node cannot set times more exactly than. */
export function expectSameTree(found: Awaited<ReturnType<typeof describeTree>>, expected: typeof found): void {
  expect({ ...found, times: [] }).toEqual({ ...expected, times: [] });
  const apart = found.times.map((time, i) => Math.abs(Number(time - expected.times[i])));
  expect(Math.max(0, ...apart)).toBeLessThanOrEqual(480);
}

/** Sets an extended attribute; the package is optional, and here. */
export async function setAttribute(path: string, name: string, value: Buffer): Promise<void> {
  // biome-ignore lint/correctness/noUndeclaredDependencies: as above.
  const { default: native } = await import('@napi-rs/xattr');
  native.setAttributeSync(path, name, value);
}
