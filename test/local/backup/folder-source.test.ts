import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, lstat, mkdir, readFile, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openFolderSource } from '#local/backup/folder-source.ts';
import type { BackupSource } from '#ports/backup-source.ts';
import { isRoot, itemOf, listAll, paths, readAll, setAttribute, withFolder, withSource } from './trees.ts';

const clock = Date.now;

describe('what a folder source says of things', () => {
  it('keeps mode, times to the nanosecond, owner and content of a file', async () => {
    const fill = async (folder: string) => {
      await writeFile(join(folder, 'f'), 'hello');
      await chmod(join(folder, 'f'), 0o4751);
      execFileSync('touch', ['-d', '2001-02-03 04:05:06.123456789Z', join(folder, 'f')]);
    };
    await withSource(fill, async (source) => {
      const { item, faults } = await itemOf(source, 'f');
      expect(item.kind).toBe('file');
      expect(item.meta).toMatchObject({ mode: 0o4751, mtimeNs: '981173106123456789', uid: process.getuid?.(), gid: process.getgid?.() });
      if (isRoot) expect(item.meta).toMatchObject({ user: 'root', group: 'root' });
      expect((await readAll(item.open!(0))).toString()).toBe('hello');
      expect((await readAll(item.open!(3))).toString()).toBe('lo');
      expect((await readAll(item.open!(5))).toString()).toBe('');
      expect(faults).toEqual([]);
    });
  });

  it('tells folders, links, pipes and sockets', async () => {
    const server = createServer();
    const fill = async (folder: string) => {
      await mkdir(join(folder, 'dir'));
      await symlink('../anywhere\n', join(folder, 'link'));
      execFileSync('mknod', [join(folder, 'pipe'), 'p']);
      server.listen(join(folder, 'socket'));
      await once(server, 'listening');
    };
    await withSource(fill, async (source) => {
      const { items, faults } = await listAll(source);
      expect(items.map(({ path, kind }) => [path, kind])).toEqual([
        ['dir', 'dir'],
        ['link', 'symlink'],
        ['pipe', 'fifo'],
        ['socket', 'socket'],
      ]);
      expect(items[1].meta).toMatchObject({ target: '../anywhere\n' });
      expect(items.map(({ open: opens }) => opens)).toEqual([undefined, undefined, undefined, undefined]);
      expect(faults).toEqual([]);
    });
    server.close();
  });

  it.skipIf(!isRoot)('keeps the numbers of devices (root alone can make them)', async () => {
    const fill = async (folder: string) => {
      execFileSync('mknod', [join(folder, 'char'), 'c', '1', '3']);
      execFileSync('mknod', [join(folder, 'block'), 'b', '259', '70000']);
    };
    await withSource(fill, async (source) => {
      const { items } = await listAll(source);
      expect(items.map(({ kind, meta }) => [kind, meta.device])).toEqual([
        ['block', { major: 259, minor: 70_000 }],
        ['char', { major: 1, minor: 3 }],
      ]);
    });
  });

  it('keeps extended attributes, also of folders and of empty values', async () => {
    const fill = async (folder: string) => {
      await mkdir(join(folder, 'd'));
      await writeFile(join(folder, 'f'), '');
      await setAttribute(join(folder, 'd'), 'user.d', Buffer.from([0, 255]));
      await setAttribute(join(folder, 'f'), 'user.empty', Buffer.alloc(0));
    };
    await withSource(fill, async (source) => {
      const { items } = await listAll(source);
      expect(items.map(({ meta }) => meta.xattrs)).toEqual([{ 'user.d': 'AP8=' }, { 'user.empty': '' }]);
      expect((await source.guarantee()).sentence).not.toContain('xtended');
    });
  });

  it('says that attributes of what has no name in UTF-8 were not read', async () => {
    await withSource(
      (folder) => writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff)]), 'x'),
      async (source) => {
        const { item } = await itemOf(source, '\udcff');
        expect((await readAll(item.open!(0))).toString()).toBe('x');
        expect((await source.guarantee()).sentence).toContain('1 things whose names are no UTF-8');
      },
    );
  });

  it('tells a file with holes, and reads them as zeros', async () => {
    const fill = async (folder: string) => {
      await writeFile(join(folder, 'f'), 'x');
      await truncate(join(folder, 'f'), 3_000_000);
    };
    await withSource(fill, async (source) => {
      const { item } = await itemOf(source, 'f');
      expect(item.meta.sparse).toBe(true);
      const bytes = await readAll(item.open!(0));
      expect(bytes.length).toBe(3_000_000);
      expect(bytes.subarray(1).every((byte) => byte === 0)).toBe(true);
    });
  });

  it('points later names of one inode to the first, after a restart too', async () => {
    const fill = async (folder: string) => {
      await mkdir(join(folder, 'd'));
      await writeFile(join(folder, 'd/1'), 'x');
      await link(join(folder, 'd/1'), join(folder, 'd/2'));
      await link(join(folder, 'd/1'), join(folder, 'e'));
      await writeFile(join(folder, 'other'), 'y');
      await link(join(folder, 'other'), join(folder, 'zzz'));
    };
    const links = async (source: BackupSource, after?: string) =>
      (await listAll(source, after)).items.map(({ path, kind, meta }) => [path, kind, kind === 'hardlink' ? meta.target : undefined]);
    await withSource(fill, async (source) => {
      const all = await links(source);
      expect(all).toEqual([
        ['d', 'dir', undefined],
        ['d/1', 'file', undefined],
        ['d/2', 'hardlink', 'd/1'],
        ['e', 'hardlink', 'd/1'],
        ['other', 'file', undefined],
        ['zzz', 'hardlink', 'other'],
      ]);
      for (let i = 0; i < all.length; i++) expect(await links(source, String(all[i][0]))).toEqual(all.slice(i + 1));
    });
  });

  it('backs up one file as one item', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'one'), '1');
      await writeFile(join(folder, 'two'), '2');
      const source = await openFolderSource(join(folder, 'one'), { clock });
      const { item, items } = await itemOf(source, 'one');
      expect(items).toHaveLength(1);
      expect((await readAll(item.open!(0))).toString()).toBe('1');
      expect(await paths(source, 'one')).toEqual([]);
      await source.close();
    });
  });

  it('gives no stamp to what changed just now, since it may change again within the same tick', async () => {
    await withSource(
      (folder) => writeFile(join(folder, 'f'), 'x'),
      async (source, folder) => {
        await writeFile(join(folder, 'f'), 'y');
        const { ctimeMs } = await lstat(join(folder, 'f'));
        const soon = await openFolderSource(folder, { clock: () => ctimeMs + 5 });
        const later = await openFolderSource(folder, { clock: () => ctimeMs + 5_000 });
        expect((await itemOf(soon, 'f')).item.stamp).toBeUndefined();
        expect((await itemOf(later, 'f')).item.stamp).toMatch(/^1-\d+-\d+-\d+$/);
        await Promise.all([soon.close(), later.close()]);
        expect((await source.guarantee()).consistency).toBe('fuzzy');
      },
    );
  });

  it('changes the stamp with content, times, mode and replacement', async () => {
    const later = () => Date.now() + 60_000;
    await withSource(
      (folder) => writeFile(join(folder, 'f'), 'x'),
      async (source, folder) => {
        const stamps = new Set([(await itemOf(source, 'f')).item.stamp]);
        const changes = [
          () => writeFile(join(folder, 'f'), 'y'),
          () => utimes(join(folder, 'f'), 5, 5),
          () => chmod(join(folder, 'f'), 0o600),
          async () => {
            await writeFile(join(folder, 'g'), 'y');
            await rename(join(folder, 'g'), join(folder, 'f'));
          },
        ];
        for (const change of changes) {
          await wait(20);
          await change();
          stamps.add((await itemOf(source, 'f')).item.stamp);
        }
        expect(stamps.size).toBe(5);
      },
      { clock: later },
    );
  });
});

describe('content of a folder source', () => {
  it.each([0, 1, 256 * 1024, 256 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 17])('is whole at %i bytes, from any offset', async (size) => {
    const content = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255));
    await withSource(
      (folder) => writeFile(join(folder, 'f'), content),
      async (source, folder) => {
        const { item, faults } = await itemOf(source, 'f');
        for (const offset of new Set([0, Math.floor(size / 2), size])) {
          expect(Buffer.compare(await readAll(item.open!(offset)), content.subarray(offset))).toBe(0);
        }
        expect(faults).toEqual([]);
        expect(Buffer.compare(await readFile(join(folder, 'f')), content)).toBe(0);
      },
    );
  });

  it('comes in pieces that are never touched again', async () => {
    await withSource(
      (folder) => writeFile(join(folder, 'f'), Buffer.concat([0, 1, 2, 3].map((i) => Buffer.alloc(1024 * 1024, i)))),
      async (source) => {
        const { item } = await itemOf(source, 'f');
        const pieces: Uint8Array[] = [];
        for await (const piece of item.open!(0)) pieces.push(piece);
        expect(pieces.map((piece) => piece[0])).toEqual([0, 1, 2, 3]);
        expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(4);
      },
    );
  });

  it('lets go of files whose reader stops early', async () => {
    const handles = async () => (await import('node:fs')).readdirSync('/proc/self/fd').length;
    await withSource(
      (folder) => writeFile(join(folder, 'f'), Buffer.alloc(9_000_000)),
      async (source) => {
        const { item } = await itemOf(source, 'f');
        const before = await handles();
        for (let i = 0; i < 20; i++) for await (const _ of item.open!(0)) break;
        for await (const _ of source.list({ onFault: () => undefined })) break;
        expect(await handles()).toBe(before);
      },
    );
  });
});

describe('what a folder source leaves out', () => {
  const fill = async (folder: string) => {
    for (const name of ['src', 'src/build', 'build', 'cache', 'cache/deep']) await mkdir(join(folder, name));
    for (const name of ['a.log', 'src/b.log', 'src/keep.log', 'src/build/out', 'build/out', 'x', 'cache/deep/f', 'cache/g']) {
      await writeFile(join(folder, name), '');
    }
    await writeFile(join(folder, 'cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n# of a test');
    await writeFile(join(folder, 'src/.quarterdeck-0123456789abcdef.part'), '');
  };

  it('leaves out what patterns fit, and all below a folder that is left out', async () => {
    const exclude = ['*.log', '!keep.log', '/build/', 'cache'];
    await withSource(
      fill,
      async (source) => expect(await paths(source)).toEqual(['src', 'src/build', 'src/build/out', 'src/keep.log', 'x']),
      { exclude },
    );
  });

  it('leaves out what is in caches, but for their tags', async () => {
    const inCache = async (source: BackupSource) => (await paths(source)).filter((path) => path.startsWith('cache'));
    await withSource(fill, async (source) => expect(await inCache(source)).toEqual(['cache', 'cache/CACHEDIR.TAG']), {
      excludeCaches: true,
    });
    await withSource(fill, async (source) => expect(await inCache(source)).toHaveLength(5));
  });

  it('never backs up what a restore that was killed has left', async () => {
    await withSource(fill, async (source) => expect((await paths(source)).join()).not.toContain('.part'));
  });

  it('refuses to start where the backup would be written to what is backed up', async () => {
    await withFolder(async (folder) => {
      await fill(folder);
      await symlink(join(folder, 'cache'), `${folder}/there`);
      for (const apart of [folder, join(folder, 'cache'), join(folder, 'not/yet/made'), join(folder, 'there/repo')]) {
        await expect(openFolderSource(folder, { clock, apartFrom: [apart] })).rejects.toMatchObject({
          kind: 'input',
          message: expect.stringContaining('back itself up'),
        });
      }
      const excluded = await openFolderSource(folder, { clock, apartFrom: [join(folder, 'there/repo')], exclude: ['/cache'] });
      await excluded.close();
      const beside = await openFolderSource(join(folder, 'src'), { clock, apartFrom: [join(folder, 'cache'), folder] });
      await beside.close();
    });
  });
});
