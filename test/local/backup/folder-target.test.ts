import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFolderSource } from '#local/backup/folder-source.ts';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import { copyTree, describeTree, expectSameTree, isRoot, pieces, setAttribute, withFolder } from './trees.ts';

const clock = Date.now;

/** Copies what is filled in by way of both ports; then compares. */
async function roundTrip(fill: (folder: string) => unknown, options = {}) {
  return withFolder(async (root) => {
    const from = join(root, 'from');
    const to = join(root, 'to');
    await mkdir(from);
    await fill(from);
    const before = await describeTree(from);
    const source = await openFolderSource(from, { clock });
    const { faults, plans } = await copyTree(source, await openFolderTarget(to, options));
    const again = await copyTree(source, await openFolderTarget(to, options));
    await source.close();
    const after = await describeTree(to);
    expectSameTree(after, before);
    expect(faults).toEqual([]);
    expect(plans.every(([, plan]) => plan === 'create')).toBe(true);
    // The very same is there, and known to be.
    expect(again.plans.filter(([, plan]) => plan !== 'keep')).toEqual([]);
    expect(again.faults).toEqual([]);
    expectSameTree(await describeTree(to), before);
    return after.described;
  });
}

const file = (path: string, content: string, meta = {}) => ({
  path,
  kind: 'file',
  meta: { mode: 0o644, mtimeNs: '1000000000', ...meta },
  sizeBytes: content.length,
  content: pieces(Buffer.from(content)),
});

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'a-', 'a.', 'c', '\u00e9', '\u{1f600}', 'x'.repeat(255)).map((text) => Buffer.from(text)),
  fc.constantFrom([0xff], [0x61, 0x80]).map((bytes) => Buffer.from(bytes)),
);
const thing = fc.record({
  names: fc.array(name, { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('file', 'dir', 'symlink', 'hardlink', 'sparse'),
  content: fc.uint8Array({ maxLength: 60 }),
  // Who is not root gets no bits that make programs run as somebody.
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o700, 0o1777, ...(isRoot ? [0o4755, 0o2750] : [])),
  second: fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }),
  fraction: fc.integer({ min: 0, max: 999_999 }),
});

async function make(root: string, things: readonly (typeof thing extends fc.Arbitrary<infer T> ? T : never)[]): Promise<void> {
  const files: Buffer[] = [];
  const folders: (readonly [Buffer, number, string])[] = [];
  for (const { names, kind, content, mode, second, fraction } of things) {
    const path = Buffer.concat([Buffer.from(root), ...names.flatMap((one) => [Buffer.from('/'), one])]);
    const time = `${second}.${String(fraction).padStart(6, '0')}`;
    try {
      await mkdir(path.subarray(0, path.lastIndexOf('/')), { recursive: true });
      if (kind === 'dir') await mkdir(path);
      else if (kind === 'symlink') await symlink(Buffer.from([0x2e, 0x2e, 0x2f, 0xff, 0x61]), path);
      else if (kind === 'hardlink' && files.length > 0) await link(files[files.length - 1], path);
      else {
        await writeFile(path, content, { flag: 'wx' });
        if (kind === 'sparse') await truncate(path, 30_000);
        files.push(path);
      }
      if (kind === 'dir') folders.push([path, mode, time]);
      if (kind === 'file' || kind === 'sparse') {
        await chmod(path, mode);
        await utimes(path, time, time);
      }
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  for (const [path, mode, time] of folders.reverse()) {
    await chmod(path, isRoot ? mode : mode | 0o700);
    await utimes(path, time, time);
  }
}

it('makes its folder for the owner alone, and leaves one that is there as it is', async () => {
  await withFolder(async (root) => {
    await mkdir(join(root, 'there'), { mode: 0o755 });
    for (const [name, mode] of [
      ['made', 0o700],
      ['there', 0o755],
    ] as const) {
      const target = await openFolderTarget(join(root, name));
      await target.write({ path: 'a', kind: 'file', meta: {}, sizeBytes: 0 });
      await target.finish();
      expect((await stat(join(root, name))).mode & 0o777).toBe(mode);
    }
  });
});

describe('a folder restored from a folder', () => {
  it('is the folder, whatever is in it, and is kept as it is by the next restore', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(thing, { maxLength: 12 }), async (things) => {
        await roundTrip((folder) => make(folder, things), { sync: 'never' });
      }),
      { numRuns: 60 },
    );
  });

  it('has its pipes, sockets, attributes, owners, and times of folders and links', async () => {
    const server = createServer();
    const described = await roundTrip(async (folder) => {
      await mkdir(join(folder, 'd/e'), { recursive: true });
      await writeFile(join(folder, 'd/f'), 'x');
      await setAttribute(join(folder, 'd'), 'user.d', Buffer.from([0, 255]));
      await setAttribute(join(folder, 'd/f'), 'user.empty', Buffer.alloc(0));
      await chmod(join(folder, 'd/f'), 0o400);
      await symlink('/etc/passwd', join(folder, 'link'));
      execFileSync('touch', ['-h', '-d', '1999-12-31 23:59:59.987654321Z', join(folder, 'link')]);
      execFileSync('mknod', ['-m', '640', join(folder, 'pipe'), 'p']);
      server.listen(join(folder, 'socket'));
      await once(server, 'listening');
      if (isRoot) for (const path of ['d/f', 'link', 'pipe', 'd']) execFileSync('chown', ['-h', '1234:4321', join(folder, path)]);
      await chmod(join(folder, 'd'), 0o500);
      execFileSync('touch', ['-d', '1960-02-03 04:05:06.789Z', join(folder, 'd')]);
    });
    server.close();
    expect(described.map(({ path, kind }) => [path, kind])).toEqual([
      ['d', 'dir'],
      ['d/e', 'dir'],
      ['d/f', 'file'],
      ['link', 'symlink'],
      ['pipe', 'fifo'],
      ['socket', 'socket'],
    ]);
  });

  it.skipIf(!isRoot)('has its access lists, capabilities and devices, where root asks for them', async () => {
    // The capability to bind low ports, and rwx for user 1000, as the kernel has them.
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const list = Buffer.from('0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff', 'hex');
    await roundTrip(
      async (folder) => {
        await writeFile(join(folder, 'f'), 'x');
        execFileSync('chown', ['5:5', join(folder, 'f')]);
        await setAttribute(join(folder, 'f'), 'security.capability', capability);
        await setAttribute(join(folder, 'f'), 'system.posix_acl_access', list);
        execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3']);
        execFileSync('mknod', ['-m', '600', join(folder, 'disk'), 'b', '259', '70000']);
      },
      { devices: true },
    );
  });

  it('is as deep as the other, past the longest path there can be', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(join(root, 'to'), { sync: 'never' });
      const deep = Array.from({ length: 40 }, () => 'd'.repeat(250));
      for (let i = 1; i <= deep.length; i++) {
        await target.write({ path: deep.slice(0, i).join('/'), kind: 'dir', meta: { mode: 0o755, mtimeNs: '5000000000' }, sizeBytes: 0 });
      }
      await target.write(file([...deep, 'f'].join('/'), 'deep'));
      expect(await target.finish()).toEqual([]);
      const { described, faults, times } = await describeTree(join(root, 'to'));
      expect(described).toHaveLength(41);
      expect(new Set(times.slice(0, 40))).toEqual(new Set([5_000_000_000n]));
      expect(faults).toEqual([]);
    });
  });

  it('takes as little space as the other where that has holes', async () => {
    await withFolder(async (root) => {
      const content = Buffer.alloc(3_000_000);
      content.write('begin', 1);
      content.write('middle', 1_500_000);
      const item = { path: 'f', kind: 'file', sizeBytes: content.length };
      for (const sparse of [true, false]) {
        const target = await openFolderTarget(root);
        await target.write({ ...item, meta: { sparse }, content: pieces(content) });
        await target.finish();
        const { blocks } = await stat(join(root, 'f'));
        if (sparse) expect(blocks * 512).toBeLessThan(500_000);
        else expect(blocks * 512).toBeGreaterThanOrEqual(3_000_000);
        expect(Buffer.compare(await readFile(join(root, 'f')), content)).toBe(0);
      }
    });
  });
});
