import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import { pieces, withFolder } from './trees.ts';

const file = (path: string, content: string, meta = {}) => ({
  path,
  kind: 'file',
  meta: { mode: 0o644, mtimeNs: '1000000000', ...meta },
  sizeBytes: content.length,
  content: pieces(Buffer.from(content)),
});

describe('a folder target on a file system that takes A for a', () => {
  it('refuses the second of two names that are one, of files and of folders', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(root, { foldsCase: true });
      await target.write(file('A/x', '1'));
      await target.write(file('B', '2'));
      await target.write(file('B', '2'));
      await expect(target.write(file('a/x', '3'))).rejects.toMatchObject({
        kind: 'input',
        message: expect.stringContaining('clashes with A'),
      });
      await expect(target.write(file('b', '4'))).rejects.toMatchObject({ kind: 'input' });
      await target.finish();
    });
  });

  it('knows those that an earlier run has restored', async () => {
    await withFolder(async (root) => {
      await (await openFolderTarget(root)).write(file('A', '1'));
      const target = await openFolderTarget(root, { foldsCase: true });
      expect(await target.plan(file('A', '1'))).toBe('keep');
      await expect(target.write(file('a', '2'))).rejects.toMatchObject({ kind: 'input' });
    });
  });

  it('is not taken for one that tells them apart', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(root);
      for (const path of ['A', 'a']) await target.write(file(path, path));
      expect((await readdir(root)).sort()).toEqual(['A', 'a']);
    });
  });
});
