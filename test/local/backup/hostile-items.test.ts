import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { link, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import type { RestoredItem } from '#ports/backup-target.ts';
import { isRoot, pieces, withFolder } from './trees.ts';

/** A target with ways out of it that were there before, beside what must never change. */
async function withCanary(run: (target: string, canary: string, look: () => unknown) => Promise<void>): Promise<void> {
  await withFolder(async (root) => {
    const canary = join(root, 'canary');
    const target = join(root, 'target');
    await mkdir(join(canary, 'd'), { recursive: true });
    await mkdir(join(target, 'a'), { recursive: true });
    await writeFile(join(canary, 'secret'), 'secret');
    await writeFile(join(canary, 'd/b'), 'secret');
    await symlink('../canary', join(target, 'out'));
    await symlink(canary, join(target, 'abs'));
    await symlink('../../canary/secret', join(target, 'a/leak'));
    await symlink('..', join(target, 'up'));
    // All of it, down to the times of changes of inodes.
    const look = (): unknown => [root, canary, join(canary, 'd')].map((folder) => describeFolder(folder, folder === root));
    await run(target, canary, look);
  });
}

function describeFolder(folder: string, isNamesOnly: boolean): unknown {
  const names = readdirSync(folder).sort();
  if (isNamesOnly) return names;
  return ['.', ...names].map((name) => {
    const path = join(folder, name);
    const { mode, uid, nlink, size, mtimeNs, ctimeNs, ino } = lstatSync(path, { bigint: true });
    const content = lstatSync(path).isFile() ? readFileSync(path, 'utf8') : lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
    return { name, mode, uid, nlink, size, mtimeNs, ctimeNs, ino, content };
  });
}

const item = (path: string, kind: string, meta: RestoredItem['meta'] = {}, content = 'evil'): RestoredItem => ({
  path,
  kind,
  meta,
  sizeBytes: kind === 'file' ? content.length : 0,
  content: kind === 'file' ? pieces(Buffer.from(content)) : undefined,
});

describe('hostile items', () => {
  it.each([
    ['an absolute path', item('/tmp/evil', 'file')],
    ['a path that leads up', item('../canary/evil', 'file')],
    ['a path that leads up from within', item('a/../../canary/evil', 'file')],
    ['nothing but dots', item('..', 'dir')],
    ['the folder itself', item('.', 'dir')],
    ['no path', item('', 'file')],
    ['a path with an empty segment', item('a//b', 'file')],
    ['a path that ends with a slash', item('a/', 'dir')],
    ['a NUL', item('a\0b', 'file')],
    ['text that no name can be', item('\ud800', 'file')],
    ['escapes that are a character together', item('\udcc3\udca9', 'file')],
    ['a name that is too long', item('n'.repeat(256), 'file')],
    ['a way through a link that was there', item('out/evil', 'file')],
    ['a way through an absolute link that was there', item('abs/evil', 'file')],
    ['a folder behind a link', item('out/d/e', 'dir')],
    ['a way up through a link', item('up/evil', 'file')],
    ['a way through a file', item('a/leak/x', 'file')],
    ['another name of something outside', item('x', 'hardlink', { target: '../canary/secret' })],
    ['another name of something absolute', item('x', 'hardlink', { target: '/etc/passwd' })],
    ['another name of something behind a link', item('x', 'hardlink', { target: 'out/secret' })],
    ['another name of a folder', item('x', 'hardlink', { target: 'a' })],
    ['another name of what is not there', item('x', 'hardlink', { target: 'nothing' })],
    ['another name of nothing said', item('x', 'hardlink')],
    ['a link that leads nowhere at all', item('x', 'symlink', { target: '' })],
    ['a link with a NUL', item('x', 'symlink', { target: 'a\0b' })],
    ['a link that says nothing', item('x', 'symlink')],
    ['a character device', item('x', 'char', { device: { major: 1, minor: 3 } })],
    ['a block device', item('x', 'block', { device: { major: 8, minor: 0 } })],
    ['a kind that folders do not have', item('x', 'table')],
    ['a mode that is none', item('x', 'file', { mode: 0o100644 })],
    ['a mode of another type', item('x', 'file', { mode: '0644' })],
    ['an owner that is none', item('x', 'file', { uid: -1, gid: 0 })],
    ['a time that is none', item('x', 'file', { mtimeNs: '1e9' })],
    ['attributes that are none', item('x', 'file', { xattrs: { 'user.a': '*' } })],
    ['the name of our own temporary files', item('.quarterdeck-0123456789abcdef.part', 'file')],
    ['a folder in such a name', item('.quarterdeck-0123456789abcdef.part/x', 'file')],
  ])('are refused where they have %s', async (_case, hostile) => {
    await withCanary(async (path, _canary, look) => {
      const before = look();
      const names = (await readdir(path)).sort();
      const target = await openFolderTarget(path);
      await expect(target.write(hostile)).rejects.toMatchObject({ kind: 'input' });
      await target.write(item('good', 'file', {}, 'good'));
      expect(await target.finish()).toEqual([]);
      expect(look()).toEqual(before);
      expect((await readdir(path)).sort()).toEqual([...names, 'good'].sort());
    });
  });

  it('are refused where they go through a link of the same restore', async () => {
    await withCanary(async (path, canary, look) => {
      const before = look();
      const target = await openFolderTarget(path);
      await target.write(item('l', 'symlink', { target: canary }));
      await expect(target.write(item('l/evil', 'file'))).rejects.toMatchObject({ kind: 'input' });
      await expect(target.write(item('l/d', 'dir', { mode: 0o777 }))).rejects.toMatchObject({ kind: 'input' });
      await target.write(item('z', 'dir', { mode: 0o777, mtimeNs: '5' }));
      await target.write(item('z/f', 'file'));
      await rm(join(path, 'z'), { recursive: true });
      await symlink(canary, join(path, 'z'));
      expect(await target.finish()).toEqual([]);
      expect(look()).toEqual(before);
    });
  });

  it('replace links that lead out, and what other names have outside stays', async () => {
    await withCanary(async (path, canary, look) => {
      await link(join(canary, 'secret'), join(path, 'shared'));
      const { content } = { content: await readFile(join(canary, 'secret'), 'utf8') };
      const target = await openFolderTarget(path);
      await target.write(item('shared', 'file', { mode: 0o777, uid: 5, gid: 5, mtimeNs: '5' }));
      const before = look();
      await target.write(item('a/leak', 'file', { mode: 0o777, mtimeNs: '5' }));
      await target.write(item('abs', 'dir', { mode: 0o777, mtimeNs: '5' }));
      await target.write(item('abs/evil', 'file'));
      await target.write(item('out', 'fifo', { mode: 0o777, mtimeNs: '5' }));
      expect(await target.finish()).toEqual([]);
      expect(look()).toEqual(before);
      expect(await readFile(join(canary, 'secret'), 'utf8')).toBe(content);
      expect((await lstat(join(canary, 'secret'))).mode & 0o777).toBe(0o644);
    });
  });

  it('of any kind and order never touch what is outside, and leave nothing half done', async () => {
    const segment = fc.constantFrom(
      'a',
      'a',
      'b',
      'd',
      'secret',
      'out',
      'abs',
      'up',
      'leak',
      'l',
      '..',
      '.',
      '',
      'canary',
      'n'.repeat(300),
      'x\0',
      '\udcff',
    );
    const path = fc.oneof(
      { weight: 8, arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/')) },
      { weight: 1, arbitrary: fc.constantFrom('/tmp', '/', '../../canary/secret', '') },
    );
    const kinds = ['file', 'dir', 'dir', 'symlink', 'symlink', 'hardlink', 'fifo', 'socket', 'char', 'object', 'nonsense'];
    const hostile = fc.record({
      path,
      kind: fc.constantFrom(...kinds),
      target: fc.oneof(path, fc.constantFrom('..', '../canary', '../../canary', 'CANARY', 'CANARY/secret', '.', 'out', 'a')),
      mode: fc.constantFrom(0, 0o777, 0o4777, 0o500),
      isPlanned: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 14 }), fc.boolean(), async (sequence, isSorted) => {
        await withCanary(async (root, canary, look) => {
          const before = look();
          const target = await openFolderTarget(root, { sync: 'never' });
          const ordered = isSorted ? [...sequence].sort((a, b) => (a.path < b.path ? -1 : 1)) : sequence;
          for (const { path: to, kind, target: says, mode, isPlanned } of ordered) {
            const meta = {
              mode,
              mtimeNs: '5000000000',
              uid: 99,
              gid: 99,
              target: says.replace('CANARY', canary),
              xattrs: { 'user.evil': 'AAAA' },
            };
            const { content, ...plain } = item(to, kind, meta);
            try {
              if (isPlanned) await target.plan(plain);
              await target.write({ ...plain, content });
            } catch (error) {
              if (!isOpsError(error)) throw error;
              expect(error.kind).toMatch(/^(?:input|denied)$/);
            }
          }
          await target.finish();
          expect(look()).toEqual(before);
          if (!isRoot) spawnSync('chmod', ['-Rf', 'u+rwX', root]);
          const { stdout } = await promisify(execFile)('find', [root, '-name', '.quarterdeck-*']);
          expect(stdout).toBe('');
        });
      }),
      { numRuns: 150 },
    );
  });

  it('written while somebody swaps folders for links stay inside', async () => {
    await withCanary(async (path, canary, look) => {
      const before = look();
      const swap = `cd "$1"; while :; do mkdir -p s/t; mv s/t s/kept 2>/dev/null; ln -s "$2" s/t; rm -f s/t; rm -rf s/kept; mv s gone; ln -s "$2" s; rm s; mv gone s; done 2>/dev/null`;
      const swapper = spawn('sh', ['-c', swap, 'sh', path, canary]);
      try {
        for (let round = 0; round < 60; round++) {
          const target = await openFolderTarget(path, { sync: 'never' });
          for (const one of [
            item('s', 'dir', { mode: 0o755 }),
            item('s/t', 'dir', { mode: 0o777 }),
            item('s/t/evil', 'file'),
            item('s/t/evil2', 'symlink', { target: 'x' }),
          ]) {
            await target.write(one).catch((error) => expect(isOpsError(error)).toBe(true));
          }
          await target.finish();
        }
      } finally {
        swapper.kill('SIGKILL');
        await once(swapper, 'exit');
      }
      expect(look()).toEqual(before);
    });
  });

  it.skipIf(isRoot)('asks for devices in vain where they may not be made', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(root, { devices: true });
      await expect(target.write(item('x', 'char', { device: { major: 1, minor: 3 } }))).rejects.toMatchObject({ kind: 'denied' });
    });
  });
});
