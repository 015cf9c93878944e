import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { appendFile, chmod, lstat, mkdir, open, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '#core/text.ts';
import { openFolderSource } from '#local/backup/folder-source.ts';
import { isRoot, itemOf, listAll, readAll, withFolder, withSource } from './trees.ts';

const clock = Date.now;

describe('files that change under a folder source', () => {
  const large = 5_000_000;
  const small = 1_000;
  const changes: readonly (readonly [string, (path: string) => Promise<unknown>, RegExp])[] = [
    ['grows', (path) => appendFile(path, 'more'), /^it changed while it was read/],
    ['shrinks', (path) => truncate(path, 10), /^it shrank by \d+ bytes/],
    ['is written to in place', (path) => writeFile(path, 'X', { flag: 'r+' }), /^it changed/],
    ['is deleted', (path) => rm(path), /^it was deleted or replaced/],
  ];

  it.each(changes)('tells of one that %s between two pieces', async (_case, change, message) => {
    await withSource(
      (folder) => writeFile(join(folder, 'f'), Buffer.alloc(large, 'abc')),
      async (source, folder) => {
        const { item, faults } = await itemOf(source, 'f');
        let read = 0;
        for await (const piece of item.open!(0)) {
          if (read === 0) await change(join(folder, 'f'));
          read += piece.length;
        }
        expect(read).toBeLessThanOrEqual(large);
        expect(faults).toEqual([{ path: 'f', message: expect.stringMatching(message) }]);
      },
    );
  });

  it.each(changes.slice(0, 3))('tells of one that %s between its attributes and its content', async (_case, change) => {
    await withSource(
      (folder) => writeFile(join(folder, 'f'), Buffer.alloc(small, 'abc')),
      async (source, folder) => {
        const { item, faults } = await itemOf(source, 'f');
        await change(join(folder, 'f'));
        await readAll(item.open!(0));
        expect(faults).toEqual([{ path: 'f', message: expect.stringMatching(/^it changed/) }]);
      },
    );
  });

  it('fails with missing for one that is gone, and with conflict for one that is none any more', async () => {
    await withSource(
      async (folder) => {
        await writeFile(join(folder, 'f'), 'x');
        await writeFile(join(folder, 'g'), 'x');
      },
      async (source, folder) => {
        const { items } = await listAll(source);
        await rm(join(folder, 'f'));
        await expect(readAll(items[0].open!(0))).rejects.toMatchObject({ kind: 'missing' });
        await rm(join(folder, 'g'));
        execFileSync('mknod', [join(folder, 'g'), 'p']);
        await expect(readAll(items[1].open!(0))).rejects.toMatchObject({ kind: 'conflict' });
        await rm(join(folder, 'g'));
        await symlink('/etc/passwd', join(folder, 'g'));
        await expect(readAll(items[1].open!(0))).rejects.toMatchObject({ kind: 'input' });
      },
    );
  });

  it('does not follow a link that took the place of a folder', async () => {
    await withSource(
      async (folder) => {
        await mkdir(join(folder, 'd'));
        await writeFile(join(folder, 'd/passwd'), 'ours');
      },
      async (source, folder) => {
        const { item } = await itemOf(source, 'd/passwd');
        await rename(join(folder, 'd'), join(folder, 'e'));
        await symlink('/etc', join(folder, 'd'));
        await expect(readAll(item.open!(0))).rejects.toMatchObject({ kind: 'input' });
        const seen: string[] = [];
        const faults: unknown[] = [];
        await rm(join(folder, 'd'));
        await rename(join(folder, 'e'), join(folder, 'd'));
        for await (const { path } of source.list({ onFault: (fault) => void faults.push(fault) })) {
          seen.push(path);
          if (path !== 'd') continue;
          await rename(join(folder, 'd'), join(folder, '0'));
          await symlink('/etc', join(folder, 'd'));
        }
        expect(seen).toEqual(['d']);
        expect(faults).toEqual([{ path: 'd', message: expect.stringContaining('the folder cannot be read') }]);
      },
    );
  });

  it('reads on from another process at a tree that is being changed, without an error and in order', async () => {
    await withFolder(async (folder) => {
      for (let i = 0; i < 40; i++) {
        await mkdir(join(folder, `d${i}/x`), { recursive: true });
        await writeFile(join(folder, `d${i}/x/f`), `${i}`);
      }
      const churn = spawn('sh', [
        '-c',
        `cd "$1"; while :; do for i in 3 7 11 19; do rm -rf d$i; mkdir -p d$i/y; echo x > d$i/y/g; mv d$i/y d$i/z; ln -sfn /etc d$i/y; done; done`,
        'sh',
        folder,
      ]);
      try {
        const source = await openFolderSource(folder, { clock });
        for (let round = 0; round < 20; round++) {
          const { items } = await listAll(source);
          const found = items.map(({ path }) => path);
          expect(found).toEqual([...found].sort(compareUtf8));
          expect(found.some((path) => path.includes('passwd'))).toBe(false);
          for (const { kind, open: opens } of items)
            if (kind === 'file') await readAll(opens!(0)).catch((error) => expect(error.kind).toMatch(/missing|conflict|input/));
        }
        await source.close();
      } finally {
        churn.kill('SIGKILL');
        await once(churn, 'exit');
      }
    });
  });
});

describe('a folder source that cannot be had', () => {
  it.each([
    ['nothing there', '/nowhere/at/all', 'missing'],
    ['something below a file', '/etc/passwd/x', 'missing'],
    ['a device', '/dev/null', 'input'],
    ['the kernel\u2019s own files', '/proc/1', 'input'],
    ['a kernel file', '/sys/kernel', 'input'],
  ])('says of %s what it is', async (_case, path, kind) => {
    await expect(openFolderSource(path, { clock })).rejects.toMatchObject({ kind });
  });

  it('says so once it is closed', async () => {
    await withSource(
      (folder) => writeFile(join(folder, 'f'), 'x'),
      async (source) => {
        const { item } = await itemOf(source, 'f');
        await source.close();
        await source.close();
        await expect(listAll(source)).rejects.toMatchObject({ kind: 'unavailable' });
        await expect(readAll(item.open!(0))).rejects.toMatchObject({ kind: 'unavailable' });
      },
    );
  });

  it('tells of what it may not read and goes on', async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, 'closed'));
      await writeFile(join(folder, 'closed/f'), 'x');
      await writeFile(join(folder, 'secret'), 'x');
      await writeFile(join(folder, 'zebra'), 'x');
      await chmod(join(folder, 'secret'), 0);
      await chmod(join(folder, 'closed'), 0);
      await chmod(folder, 0o755);
      const script = `
        const { openFolderSource } = await import(process.argv[1]);
        const source = await openFolderSource(process.argv[2], { clock: Date.now });
        const faults = [], read = [];
        for await (const { path, open } of source.list({ onFault: (fault) => faults.push(fault.path) })) {
          try { if (open) for await (const piece of open(0)) read.push(path); } catch (error) { faults.push(path + ' ' + error.kind); }
        }
        console.log(JSON.stringify({ faults, read }));`;
      const module = join(import.meta.dirname, '../../../packages/local/backup/folder-source.ts');
      const as = isRoot ? { uid: 65534, gid: 65534 } : {};
      const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, module, folder], {
        ...as,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(JSON.parse(out)).toEqual({ faults: ['closed', 'secret denied'], read: ['zebra'] });
      await chmod(join(folder, 'closed'), 0o700);
    });
  });

  it.skipIf(!isRoot)('does not go on in file systems of the kernel, nor in others if asked not to (root alone can mount)', async () => {
    await withFolder(async (folder) => {
      const script = `
        const { mkdirSync, writeFileSync } = await import('node:fs');
        const { execFileSync } = await import('node:child_process');
        const { openFolderSource } = await import(process.argv[1]);
        const root = process.argv[2];
        for (const name of ['proc', 'tmp']) mkdirSync(root + '/' + name);
        execFileSync('mount', ['-t', 'proc', 'proc', root + '/proc']);
        execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', root + '/tmp']);
        writeFileSync(root + '/tmp/f', '');
        const all = [];
        for (const oneFileSystem of [false, true]) {
          const source = await openFolderSource(root, { clock: Date.now, oneFileSystem });
          const paths = [];
          for await (const { path } of source.list({ onFault: (fault) => paths.push(fault) })) paths.push(path);
          all.push(paths);
        }
        console.log(JSON.stringify(all));`;
      const module = join(import.meta.dirname, '../../../packages/local/backup/folder-source.ts');
      const args = ['-m', process.execPath, '--input-type=module', '-e', script, module, folder];
      const out = execFileSync('unshare', args, { encoding: 'utf8' });
      expect(JSON.parse(out)).toEqual([
        ['proc', 'tmp', 'tmp/f'],
        ['proc', 'tmp'],
      ]);
    });
  });

  it('leaves access times alone', async () => {
    await withSource(
      async (folder) => {
        await writeFile(join(folder, 'f'), 'x');
        await utimes(join(folder, 'f'), 1_000, 2_000);
      },
      async (source, folder) => {
        await readAll((await itemOf(source, 'f')).item.open!(0));
        expect((await lstat(join(folder, 'f'))).atimeMs).toBe(1_000_000);
        const handle = await open(join(folder, 'f'), constants.O_RDONLY);
        await handle.close();
      },
    );
  });
});
