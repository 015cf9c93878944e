import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import { isEmptyTarget } from '#local/backup/inside.ts';
import { describeTree, pieces, setAttribute, withFolder } from './trees.ts';

const file = (path: string, content: string, meta = {}) => ({
  path,
  kind: 'file',
  meta: { mode: 0o644, mtimeNs: '1000000000', ...meta },
  sizeBytes: content.length,
  content: pieces(Buffer.from(content)),
});

describe('a folder target that cannot be made', () => {
  it.each(['/proc/nowhere', '/proc/no/where', '/dev/null/x'])('says so: %s', async (path) => {
    const write = async () => (await openFolderTarget(path)).write(file('f', 'x'));
    await expect(write()).rejects.toMatchObject({ kind: expect.stringMatching(/^(?:input|denied|unavailable)$/) });
  });
});

describe('what a folder target finds there already', () => {
  const planned = async (root: string, item: ReturnType<typeof file>, options = {}) => (await openFolderTarget(root, options)).plan(item);

  it('is created, replaced or kept by size, times, mode and links', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(join(root, 'to'));
      expect(await target.plan(file('d/f', 'abc'))).toBe('create');
      expect(isEmptyTarget(join(root, 'to'))).toBe(true);
      await target.write(file('d/f', 'abc'));
      expect(await target.plan(file('d/f', 'abc'))).toBe('keep');
      expect(await target.plan(file('d/f', 'abcd'))).toBe('replace');
      expect(await target.plan(file('d/f', 'abc', { mtimeNs: '1000001000' }))).toBe('replace');
      expect(await target.plan(file('d/f', 'abc', { mode: 0o600 }))).toBe('replace');
      expect(await target.plan(file('d/f', 'abc', { xattrs: { 'user.a': '' } }))).toBe('replace');
      expect(await target.plan({ path: 'd/f', kind: 'symlink', meta: { target: 'x' }, sizeBytes: 0 })).toBe('replace');
      expect(await target.plan({ path: 'd/l', kind: 'hardlink', meta: { target: 'd/f' }, sizeBytes: 0 })).toBe('create');
      await target.finish();
      expect(await target.finish()).toEqual([]);
    });
  });

  it('is kept where its content alone differs, as is documented', async () => {
    await withFolder(async (root) => {
      await (await openFolderTarget(root)).write(file('f', 'abc'));
      await writeFile(join(root, 'f'), 'abX');
      await utimes(join(root, 'f'), 1, 1);
      expect(await planned(root, file('f', 'abc'))).toBe('keep');
    });
  });

  it('is replaced, be it a file, a link or an empty folder; never a folder with things in it', async () => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'empty'));
      await mkdir(join(root, 'full/of'), { recursive: true });
      await symlink('full', join(root, 'link'));
      await writeFile(join(root, 'old'), 'old');
      const target = await openFolderTarget(root);
      for (const path of ['empty', 'link', 'old']) await target.write(file(path, path));
      await expect(target.write(file('full', 'x'))).rejects.toMatchObject({
        kind: 'input',
        message: 'cannot restore full: there is a folder that is not empty',
      });
      await target.write({ path: 'old', kind: 'dir', meta: { mode: 0o700 }, sizeBytes: 0 });
      expect(await target.finish()).toEqual([]);
      expect((await readdir(root)).sort()).toEqual(['empty', 'full', 'link', 'old']);
      expect(await readFile(join(root, 'link'), 'utf8')).toBe('link');
      expect((await lstat(join(root, 'link'))).isSymbolicLink()).toBe(false);
      expect(await readdir(join(root, 'full'))).toEqual(['of']);
    });
  });

  it('keeps times and modes of kept folders that get something new, be others written before', async () => {
    await withFolder(async (root) => {
      const folder = { path: 'd', kind: 'dir', meta: { mode: 0o555, mtimeNs: '7000000000' }, sizeBytes: 0 };
      const first = await openFolderTarget(root);
      await first.write(folder);
      await first.finish();
      const second = await openFolderTarget(root);
      expect(await second.plan(folder)).toBe('keep');
      // A restore plans some way ahead of what it writes.
      for (const path of ['d-', 'd/f', 'e']) expect(await second.plan(file(path, 'x'))).toBe('create');
      for (const path of ['d-', 'd/f']) await second.write(file(path, 'x'));
      expect(await second.finish()).toEqual([]);
      const { mode, mtimeMs } = await stat(join(root, 'd'));
      expect([mode & 0o777, mtimeMs]).toEqual([0o555, 7_000]);
    });
  });

  it.each([0o755, 0o555])('leaves folders of mode %o that no item describes as they are', async (mode) => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'd'));
      await setAttribute(join(root, 'd'), 'user.mine', Buffer.from('x'));
      await chmod(join(root, 'd'), mode);
      const target = await openFolderTarget(root);
      await target.write(file('d/f', 'x'));
      expect(await target.finish()).toEqual([]);
      const { described } = await describeTree(root);
      expect(described[0]).toMatchObject({ mode, xattrs: { 'user.mine': 'eA==' } });
    });
  });

  it('loses what a restore that was killed has left beside it', async () => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'd'));
      await writeFile(join(root, 'd/.quarterdeck-0123456789abcdef.part'), 'half');
      const target = await openFolderTarget(root);
      await target.write(file('d/f', 'x'));
      expect(await readdir(join(root, 'd'))).toEqual(['f']);
      await expect(target.write(file('d/.quarterdeck-0123456789abcdef.part', 'x'))).rejects.toMatchObject({ kind: 'input' });
    });
  });

  it.each([
    ['no folder', async () => undefined, true],
    ['an empty folder', (path: string) => mkdir(path), true],
    ['a folder with something in it', (path: string) => mkdir(join(path, 'x'), { recursive: true }), false],
    ['a file', (path: string) => writeFile(path, ''), false],
  ])('is empty or not: %s', async (_case, prepare, expected) => {
    await withFolder(async (root) => {
      await prepare(join(root, 'to'));
      expect(isEmptyTarget(join(root, 'to'))).toBe(expected);
    });
  });

  it.each([
    ['a file', (path: string) => writeFile(path, '')],
    ['a link that leads nowhere', (path: string) => symlink('nowhere', path)],
    [
      'a file on the way',
      async (path: string) => {
        await rm(join(path, '..'), { recursive: true });
        await writeFile(join(path, '..'), '');
      },
    ],
  ])('is refused where it is %s', async (_case, prepare) => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'way'));
      await prepare(join(root, 'way/to'));
      await expect(openFolderTarget(join(root, 'way/to'))).rejects.toMatchObject({ kind: 'input' });
    });
  });
});
