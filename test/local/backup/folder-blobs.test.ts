import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFolderBlobs } from '#local/backup/folder-blobs.ts';
import { blobsContract } from '#test/ports/blobs.contract.ts';
import { isRoot, withFolder } from './trees.ts';

blobsContract('a folder, two handles', async () => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-repository-'));
  const port = await openFolderBlobs(folder, { create: true });
  return { port, other: await openFolderBlobs(folder), close: () => rm(folder, { recursive: true }) };
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a repository in a folder', () => {
  it('is made only where that is asked for', async () => {
    await withFolder(async (root) => {
      const path = join(root, 'not/yet');
      await expect(openFolderBlobs(path)).rejects.toMatchObject({ kind: 'missing' });
      expect(await readdir(root)).toEqual([]);
      await (await openFolderBlobs(path, { create: true })).put('a', bytes('x'));
      expect((await (await openFolderBlobs(path)).list('')).entries).toHaveLength(1);
    });
  });

  it('is for its owner alone', async () => {
    await withFolder(async (root) => {
      await (await openFolderBlobs(join(root, 'repository'), { create: true })).put('keys/a', bytes('x'));
      for (const name of ['objects', 'writing']) expect((await stat(join(root, 'repository', name))).mode & 0o777).toBe(0o700);
    });
  });

  it('is not made among other things, in a file, or where nothing may be made', async () => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'home'));
      await writeFile(join(root, 'home/mine'), '');
      await writeFile(join(root, 'file'), '');
      await expect(openFolderBlobs(join(root, 'home'), { create: true })).rejects.toMatchObject({
        kind: 'input',
        message: expect.stringContaining('mine'),
      });
      await expect(openFolderBlobs(join(root, 'file'), { create: true })).rejects.toMatchObject({ kind: 'input' });
      await expect(openFolderBlobs('/proc/nowhere', { create: true })).rejects.toMatchObject({
        kind: expect.stringMatching(/denied|unavailable/),
      });
      expect(await readdir(join(root, 'home'))).toEqual(['mine']);
    });
  });

  it('stamps objects by the clock of the file system, not by that of who writes', async () => {
    await withFolder(async (root) => {
      const blobs = await openFolderBlobs(root, { create: true });
      await blobs.put('a.x', bytes('x'));
      const { mtimeMs, ctimeMs } = await stat(join(root, 'objects/a.x'));
      const [entry] = (await blobs.list('')).entries;
      expect(entry.modifiedAtMs).toBe(Math.round(mtimeMs));
      // The file system alone sets the time of the change of the inode, when the object takes its place.
      expect(ctimeMs - mtimeMs).toBeGreaterThanOrEqual(0);
      expect(ctimeMs - mtimeMs).toBeLessThan(20_000);
    });
  });

  it('leaves alone what another machine is writing', async () => {
    await withFolder(async (root) => {
      await openFolderBlobs(root, { create: true });
      for (const machine of ['other-machine', hostname()]) {
        await mkdir(join(root, 'writing', machine), { recursive: true });
        await writeFile(join(root, 'writing', machine, '999999-x'), 'half');
      }
      await openFolderBlobs(root);
      expect(await readdir(join(root, 'writing/other-machine'))).toEqual(['999999-x']);
      expect(await readdir(join(root, 'writing', hostname()))).toEqual([]);
    });
  });

  it('creates each object once between processes', async () => {
    await withFolder(async (root) => {
      await openFolderBlobs(root, { create: true });
      const module = join(import.meta.dirname, '../../../packages/local/backup/folder-blobs.ts');
      const script = `
        const { openFolderBlobs } = await import(process.argv[1]);
        const blobs = await openFolderBlobs(process.argv[2]);
        const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => blobs.put('k/' + i, Buffer.from('by ' + process.argv[3]))));
        console.log(outcomes.filter((outcome) => outcome === 'created').length);`;
      const shell = '"$0" --input-type=module -e "$1" "$2" "$3" first & "$0" --input-type=module -e "$1" "$2" "$3" second & wait';
      const out = execFileSync('sh', ['-c', shell, process.execPath, script, module, root], { encoding: 'utf8' });
      const created = out.trim().split('\n').map(Number);
      expect(created).toHaveLength(2);
      expect(created[0] + created[1]).toBe(50);
    });
  });

  it.skipIf(!isRoot)('says denied to who may not write (root can have another user try)', async () => {
    await withFolder(async (root) => {
      const blobs = await openFolderBlobs(root, { create: true });
      await blobs.put('a', bytes('x'));
      execFileSync('chmod', ['755', root]);
      const module = join(import.meta.dirname, '../../../packages/local/backup/folder-blobs.ts');
      const script = `
        const { openFolderBlobs } = await import(process.argv[1]);
        const blobs = await openFolderBlobs(process.argv[2]).catch((error) => error);
        console.log(blobs.kind ?? (await blobs.put('b', Buffer.from('x')).catch((error) => error.kind)));`;
      const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, module, root], {
        uid: 65534,
        gid: 65534,
        encoding: 'utf8',
      });
      expect(out.trim()).toBe('denied');
    });
  });
});
