import { type ExecFileSyncOptions, execFile, execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import { isRoot, pieces, withFolder } from './trees.ts';

const module = join(import.meta.dirname, '../../../packages/local/backup/folder-target.ts');
const nobody = isRoot ? { uid: 65534, gid: 65534 } : {};

/** Runs a restore in a process of its own; gives what it prints. */
function runAs({ isMounting = false, ...options }: ExecFileSyncOptions & { isMounting?: boolean }, script: string, ...args: string[]) {
  const whole = `
    const { openFolderTarget } = await import(process.argv[1]);
    const bytes = (text) => (async function* () { yield Buffer.from(text); })();
    const file = (path, text, meta = {}) => ({ path, kind: 'file', meta, sizeBytes: text.length, content: bytes(text) });
    const attempt = (call) => call().then(() => 'done', (error) => error.kind + ': ' + error.message);
    ${script}`;
  const node = [process.execPath, '--input-type=module', '-e', whole, module, ...args];
  const [command, ...rest] = isMounting ? ['unshare', '-m', ...node] : node;
  const out = execFileSync(command, rest, { ...options, encoding: 'utf8' });
  return JSON.parse(out);
}

describe('a folder target of somebody who is not root', () => {
  it('leaves owners out, drops bits that would make his programs run as him, and gets into folders that are closed', async () => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'to'));
      if (isRoot) execFileSync('chown', ['-R', '65534:65534', root]);
      const found = runAs(
        nobody,
        `const run = async () => {
          const target = await openFolderTarget(process.argv[2] + '/to');
          const results = [];
          for (const item of [
            { path: 'd', kind: 'dir', meta: { mode: 0o500, uid: 0, gid: 0, mtimeNs: '5000000000' }, sizeBytes: 0 },
            file('d/su', 'x', { mode: 0o6755, uid: 0, gid: 0, xattrs: { 'security.capability': 'AAAA', 'user.a': 'AAAA' } }),
            file('d/none', 'x', { mode: 0, mtimeNs: '5000000000' }),
          ]) results.push(await target.plan(item), await attempt(() => target.write(item)));
          return [results, await target.finish()];
        };
        console.log(JSON.stringify([await run(), await run()]));`,
        root,
      );
      const again = ['keep', 'done', 'replace', 'done', 'keep', 'done'];
      expect(found).toEqual([
        [['create', 'done', 'create', 'done', 'create', 'done'], []],
        [again, []],
      ]);
      expect((await lstat(join(root, 'to/d/su'))).mode & 0o7777).toBe(0o755);
      expect((await lstat(join(root, 'to/d/none'))).mode & 0o7777).toBe(0);
      const { mode, mtimeMs } = await lstat(join(root, 'to/d'));
      expect([mode & 0o7777, mtimeMs]).toEqual([0o500, 5_000]);
    });
  });

  it('says denied where he may not write, and goes on', async () => {
    await withFolder(async (root) => {
      await mkdir(join(root, 'to/open'), { recursive: true });
      execFileSync('chmod', ['711', root]);
      execFileSync('chmod', ['755', join(root, 'to')]);
      if (isRoot) execFileSync('chown', ['65534', join(root, 'to/open')]);
      else execFileSync('chmod', ['555', join(root, 'to')]);
      const found = runAs(
        nobody,
        `const target = await openFolderTarget(process.argv[2] + '/to', { ownership: 'ids' });
        const results = [];
        for (const item of [file('f', 'x'), file('open/f', 'x', { uid: 0, gid: 0 })]) results.push(await attempt(() => target.write(item)));
        const elsewhere = await openFolderTarget(process.argv[2] + '/other');
        results.push(await attempt(() => elsewhere.write(file('f', 'x'))));
        console.log(JSON.stringify([results, await target.finish()]));`,
        root,
      );
      const [[first, second, third], faults] = found;
      if (isRoot) expect(first).toBe('denied: cannot restore f: permission denied');
      expect(second).toBe('done');
      if (isRoot) expect(third).toMatch(/^denied/);
      if (isRoot) expect(faults).toEqual([{ path: 'open/f', message: 'its owner could not be set to 0:0: not permitted' }]);
    });
  });
});

describe('faults of the disk', () => {
  it.skipIf(!isRoot)('are told where it is full, and the rest is restored once there is room (root alone can mount)', async () => {
    await withFolder(async (root) => {
      const script = `
        const { execFileSync } = await import('node:child_process');
        const { readdirSync, statSync } = await import('node:fs');
        const to = process.argv[2];
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', to]);
        const target = await openFolderTarget(to);
        const big = 'x'.repeat(200_000);
        const results = [];
        for (const path of ['a', 'b', 'c']) results.push(await attempt(() => target.write(file(path, path === 'c' ? 'x' : big))));
        results.push(readdirSync(to).join());
        execFileSync('mount', ['-o', 'remount,size=1m', to]);
        results.push(await attempt(() => target.write(file('b', big))), statSync(to + '/b').size);
        console.log(JSON.stringify(results));`;
      const found = runAs({ isMounting: true }, script, root);
      expect(found).toEqual(['done', 'unavailable: cannot restore b: the disk is full', 'done', 'a,c', 'done', 200_000]);
    });
  });

  it('that content breaks off or is longer than said leaves what was there', async () => {
    await withFolder(async (root) => {
      const target = await openFolderTarget(root);
      await target.write({ path: 'f', kind: 'file', meta: {}, sizeBytes: 3, content: pieces(Buffer.from('old')) });
      const broken = async function* () {
        yield Buffer.from('ne');
        throw new Error('lost');
      };
      const at = { path: 'f', kind: 'file', meta: {}, sizeBytes: 3 };
      await expect(target.write({ ...at, content: broken() })).rejects.toMatchObject({ kind: 'unavailable' });
      await expect(target.write({ ...at, content: pieces(Buffer.from('ne')) })).rejects.toMatchObject({ kind: 'unavailable' });
      await expect(target.write({ ...at, content: pieces(Buffer.from('newer')) })).rejects.toMatchObject({ kind: 'unavailable' });
      await expect(target.write(at)).rejects.toMatchObject({ kind: 'unavailable' });
      expect(await readFile(join(root, 'f'), 'utf8')).toBe('old');
      expect(await readdir(root)).toEqual(['f']);
    });
  });

  it('in the form of kill -9 leave whole files or none, and the next run goes on and cleans up', async () => {
    const content = (i: number) => String(i).repeat(1 + ((i * 7919) % 60_000));
    const script = `
      const target = await openFolderTarget(process.argv[2], { sync: 'never' });
      const content = ${content};
      for (let i = 100; i < 220; i++) {
        const item = file('d' + (i % 10) + '/f' + i, content(i), { mode: 0o640, mtimeNs: i + '000000000' });
        if ((await target.plan(item)) !== 'keep') await target.write(item);
      }
      console.log(JSON.stringify(await target.finish()));`;
    await withFolder(async (root) => {
      const to = join(root, 'to');
      const check = async () => {
        let whole = 0;
        for (let i = 100; i < 220; i++) {
          const found = await readFile(join(to, `d${i % 10}/f${i}`), 'utf8').catch(() => undefined);
          if (found === undefined) continue;
          expect(found === content(i)).toBe(true);
          whole++;
        }
        return whole;
      };
      for (let seed = 0; seed < 12; seed++) {
        if (seed % 4 === 0) await rm(to, { recursive: true, force: true });
        // The time limit is the killer.
        const limit = 90 + seed * 13;
        try {
          runAs({ timeout: limit, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'ignore'] }, script, to);
        } catch (error) {
          // One that has just ended by itself when its time is up is an error, too, of status 0.
          const { signal, status } = error as { signal: string | null; status: number | null };
          expect([signal, status]).toEqual(status === 0 ? [null, 0] : ['SIGKILL', null]);
        }
        await check();
      }
      expect(runAs({}, script, to)).toEqual([]);
      expect(await check()).toBe(120);
      const { stdout } = await promisify(execFile)('find', [to, '-name', '.quarterdeck-*']);
      expect(stdout.split('\n').length).toBeLessThanOrEqual(2);
    });
  });
});
