import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobPath, readName } from '#local/blob-paths.ts';
import { openFileBlobs } from '#local/file-blobs.ts';

describe('paths of blobs', () => {
  it.each([
    ['tier=hot/signal=metrics/tenant=a.com/date=2026-11-23/x.parquet', 'tier=hot/signal=metrics/tenant=a.com/date=2026-11-23/x.parquet'],
    ['segments/a/b.seg', 'segments/a/b.seg'],
    ['a', 'a~'],
    ['a/b', 'a/b~'],
    ['x.parquet/y', 'x.parquet~/y~'],
    ['...', '...~'],
    ['.hidden', '.hidden~'],
    ['n=1.json', 'n=1.json~'],
    [`${'n'.repeat(200)}/x.seg`, `${'n'.repeat(200)}/x.seg`],
    [`${'n'.repeat(201)}.seg`, `${'n'.repeat(200)}+/n.seg`],
    [`${'n'.repeat(200)}../x.seg`, `${'n'.repeat(200)}+/..~/x.seg`],
  ])('puts %s at %s', (key, path) => {
    expect(blobPath('root', key)).toBe(`root/${path}`);
  });

  it('gives different keys different paths, none of them a folder of another', () => {
    const segment = fc.stringMatching(/^[a.=]{1,4}$/).filter((text) => text !== '.' && text !== '..');
    const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(a !== b);
        expect(blobPath('r', a)).not.toBe(blobPath('r', b));
        expect(blobPath('r', a).startsWith(`${blobPath('r', b)}/`)).toBe(false);
      }),
    );
  });

  it('reads names back', () => {
    expect(readName('x.parquet', false)).toEqual({ text: 'x.parquet', continued: false });
    expect(readName('a~', false)).toEqual({ text: 'a', continued: false });
    expect(readName('x.parquet~', true)).toEqual({ text: 'x.parquet/', continued: false });
    expect(readName('long+', true)).toEqual({ text: 'long', continued: true });
  });
});

describe('blobs in files', () => {
  let root: string;
  const options = () => ({ folder: join(root, 'blobs'), tempFolder: join(root, 'tmp'), clock: () => 1_700_000_000_000 });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quarterdeck-blobs-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('removes what a dead process left of a put, and leaves what a live one writes', async () => {
    await mkdir(join(root, 'tmp'));
    const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
    const names = [`${dead}-left`, 'junk', `${process.ppid}-writes`];
    for (const name of names) await writeFile(join(root, 'tmp', name), 'half of');
    const blobs = await openFileBlobs(options());
    expect(await readdir(join(root, 'tmp'))).toEqual([`${process.ppid}-writes`]);
    expect((await blobs.list('')).entries).toEqual([]);
  });

  it('leaves no temporary file behind, whoever wins', async () => {
    const blobs = await openFileBlobs(options());
    await Promise.all(Array.from({ length: 20 }, (_, i) => blobs.put('a/b.seg', Buffer.from(`${i}`))));
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
  });

  it('stamps objects by the clock it was given', async () => {
    const blobs = await openFileBlobs(options());
    await blobs.put('a.seg', Buffer.from('x'));
    expect((await blobs.list('')).entries).toEqual([{ key: 'a.seg', sizeBytes: 1, modifiedAtMs: 1_700_000_000_000 }]);
    await utimes(join(root, 'blobs', 'a.seg'), 5, 5);
    expect((await blobs.list('')).entries[0].modifiedAtMs).toBe(5_000);
  });

  it('removes folders that deletes have emptied, and makes them again', async () => {
    const blobs = await openFileBlobs(options());
    await blobs.put('a/b/c/1.seg', Buffer.from('x'));
    await blobs.put('a/2.seg', Buffer.from('x'));
    await blobs.delete(['a/b/c/1.seg']);
    expect(existsSync(join(root, 'blobs/a/b'))).toBe(false);
    expect(existsSync(join(root, 'blobs/a/2.seg'))).toBe(true);
    expect(await blobs.put('a/b/c/1.seg', Buffer.from('y'))).toBe('created');
    await blobs.delete(['a/b/c/1.seg', 'a/2.seg']);
    expect(await readdir(join(root, 'blobs'))).toEqual([]);
  });

  it('puts into folders that others keep removing', async () => {
    const blobs = await openFileBlobs(options());
    const other = await openFileBlobs(options());
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const handle = i % 2 ? blobs : other;
        const outcome = await handle.put(`x/y/${i}.seg`, Buffer.from('x'));
        await handle.delete([`x/y/${i}.seg`]);
        return outcome;
      }),
    );
    expect(new Set(outcomes)).toEqual(new Set(['created']));
    expect(await readdir(join(root, 'blobs'))).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('says denied where the file system does not let it', async () => {
    const blobs = await openFileBlobs(options());
    await chmod(join(root, 'blobs'), 0o500);
    await expect(blobs.put('a.seg', Buffer.from('x'))).rejects.toMatchObject({ kind: 'denied' });
    await chmod(join(root, 'blobs'), 0o700);
  });

  it('says unavailable where the disk fails, and tries every delete', async () => {
    const blobs = await openFileBlobs(options());
    await blobs.put('a.seg', Buffer.from('x'));
    await mkdir(join(root, 'blobs', 'b.seg'));
    await expect(blobs.delete(['b.seg', 'a.seg'])).rejects.toMatchObject({ kind: 'unavailable' });
    expect(existsSync(join(root, 'blobs', 'a.seg'))).toBe(false);
    await expect(blobs.get('b.seg')).rejects.toMatchObject({ kind: 'unavailable' });
    await rm(join(root, 'tmp'), { recursive: true });
    await expect(blobs.put('c.seg', Buffer.from('x'))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('lists nothing for a prefix that leads out of its folder', async () => {
    await writeFile(join(root, 'secret.txt'), 'x');
    const blobs = await openFileBlobs(options());
    for (const prefix of ['../', '..', '/', 'a//', './', '../secret']) expect((await blobs.list(prefix)).entries).toEqual([]);
  });
});
