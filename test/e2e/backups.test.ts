import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, startQuarterdeck } from './quarterdeck.ts';

const bin = resolve(import.meta.dirname, '..', '..', 'bin', 'quarterdeck.js');
const PASSPHRASE = 'correct horse battery staple';

let folder: string;
let server: RunningServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-backups-'));
  await mkdir(join(folder, 'data/photos/2026'), { recursive: true });
  await writeFile(join(folder, 'data/notes.txt'), 'first of all\n');
  await writeFile(join(folder, 'data/photos/2026/one.raw'), randomFillSync(Buffer.alloc(300_000)));
});
afterEach(async () => {
  await server?.end('SIGKILL');
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<RunningServer> {
  const config = join(folder, 'config');
  await mkdir(config, { recursive: true });
  const text = `
repositories:
  main: { at: ${join(folder, 'repository')}, readAllInChecks: 1 }
backups:
  - { name: data, source: ${join(folder, 'data')}, repository: main, schedule: cron(0 3 * * ? *), tags: [nightly], retention: { last: 1 } }
drills:
  - { name: weekly, backup: data, schedule: cron(0 5 ? * SUN *), checks: [{ path: notes.txt, contains: first }], recoveryTime: 1h }
`;
  await writeFile(join(config, 'backups.yaml'), text);
  server = await startQuarterdeck(join(folder, 'quarterdeck'), {
    ...{ QUARTERDECK_CONFIG: config, QUARTERDECK_SELF: 'off', QUARTERDECK_BACKUP_PASSPHRASE: PASSPHRASE },
    QUARTERDECK_RESTORE_FOLDER: join(folder, 'restored'),
  });
  return server;
}

async function ask(path: string, body?: object): Promise<ReturnType<typeof JSON.parse>> {
  const response = await fetch(`${server?.url}${path}`, body ? { method: 'POST', body: JSON.stringify(body) } : {});
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

const invoke = (name: string, event: object = {}) => ask(`/2015-03-31/functions/${name}/invocations`, event);

/** Asks until the answer is one. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

/** Runs a backup and waits for its end; how that was. */
async function backUp(): Promise<{ run: string; ok: boolean; sentence: string; result: { snapshot: string } }> {
  const { run } = await ask('/api/backups/data/run', {});
  return until(async () => {
    const { last } = (await ask('/api/backups')).backups[0];
    return last?.run === run ? last : undefined;
  });
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function quarterdeck(args: readonly string[], passphrase = PASSPHRASE, cwd = process.cwd()): Promise<Ended> {
  const env = { PATH: process.env.PATH, QUARTERDECK_BACKUP_PASSPHRASE: passphrase };
  return new Promise((ended) => {
    execFile(process.execPath, [bin, ...args], { env, cwd }, (error, stdout, stderr) =>
      ended({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('backups on a real server', () => {
  it('are taken, looked into, restored, proved, and let go', { timeout: 120_000 }, async () => {
    await start();
    const first = await backUp();
    expect(first).toMatchObject({ ok: true });
    await writeFile(join(folder, 'data/notes.txt'), 'second\n');
    const second = await backUp();

    const { snapshots } = await ask('/api/snapshots?backup=data&tag=nightly');
    expect(snapshots.map(({ id }: { id: string }) => id)).toEqual([second.result.snapshot, first.result.snapshot]);
    const { entries } = await ask(`/api/snapshots/${first.result.snapshot}/entries?path=photos`);
    expect(entries).toMatchObject([{ path: 'photos/2026', kind: 'dir' }]);
    const { differences } = await ask(`/api/snapshots/${first.result.snapshot}/diff/${second.result.snapshot}`);
    expect(differences).toMatchObject([{ path: 'notes.txt', change: 'changed' }]);

    const { id } = await ask('/api/restores', { repository: 'main', snapshot: first.result.snapshot, to: 'again', include: ['notes.txt'] });
    const restored = await until(async () => {
      const restore = await ask(`/api/restores/${id}`);
      return restore.state === 'running' ? undefined : restore;
    });
    expect(restored).toMatchObject({ state: 'done', last: { result: { created: 1, missingCount: 0 } } });
    expect(await readFile(join(folder, 'restored/again/notes.txt'), 'utf8')).toBe('first of all\n');
    expect(await readdir(join(folder, 'restored/again'))).toEqual(['notes.txt']);

    await ask('/api/drills/weekly/run', {});
    const drill = await until(async () => (await ask('/api/drills')).drills[0]);
    // What was changed last has no "first" in it any more.
    expect(drill).toMatchObject({ drill: 'weekly', status: 'FAILED', sentence: expect.stringContaining('content of notes.txt') });
    expect((await ask(`/api/drills/${drill.id}`)).signatureIs).toEqual({ right: true, by: 'the repository main' });

    expect((await invoke('backups-forget', { name: 'main' })).jobs).toMatchObject([{ state: 'done' }]);
    expect((await ask('/api/snapshots')).snapshots).toMatchObject([{ id: second.result.snapshot }]);
    expect((await invoke('backups-check', { name: 'main' })).jobs).toMatchObject([{ state: 'done' }]);
    expect([await server?.end('SIGTERM'), server?.complaints()]).toEqual([0, '']);
  });

  it.each([
    ['was killed', 'SIGKILL', null],
    ['was ended', 'SIGTERM', 0],
  ] as const)(
    'go on after the server %s, with the same run, and leave a sound repository',
    { timeout: 120_000 },
    async (_, signal, code) => {
      const large = join(folder, 'data/photos/large.raw');
      await writeFile(large, randomFillSync(Buffer.alloc(96 << 20)));
      await start();
      const { run } = await ask('/api/backups/data/run', {});
      const packs = join(folder, 'repository/objects/packs');
      await until(async () => (existsSync(packs) && (await readdir(packs)).length > 0 ? true : undefined));
      expect(await server?.end(signal)).toBe(code);
      await start();
      // Its schedule would, within a minute.
      await invoke('backups-snapshot');
      const last = await until(async () => (await ask('/api/backups')).backups[0].last);
      expect(last).toMatchObject({ run, ok: true });
      expect((await ask('/api/snapshots')).snapshots).toMatchObject([{ id: last.result.snapshot }]);
      expect((await invoke('backups-check', { name: 'main' })).jobs).toMatchObject([{ state: 'done' }]);
      const { id } = await ask('/api/restores', { repository: 'main', snapshot: 'latest', to: 'whole' });
      await until(async () => ((await ask(`/api/restores/${id}`)).state === 'done' ? true : undefined));
      expect((await readFile(join(folder, 'restored/whole/photos/large.raw'))).equals(await readFile(large))).toBe(true);
    },
  );
});

describe('backups from the command line', () => {
  it('are taken, listed and restored, and say what is wrong', { timeout: 120_000 }, async () => {
    const [data, repo, to] = ['data', 'repository', 'restored'].map((name) => join(folder, name)) as [string, string, string];
    const taken = await quarterdeck(['backup', data, '--repo', repo, '--tag', 'by-hand', '--json']);
    expect([taken.code, JSON.parse(taken.stdout)]).toMatchObject([0, { tags: ['by-hand'], counts: { items: 4 } }]);
    const listed = await quarterdeck(['snapshots', '--repo', repo, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ id: JSON.parse(taken.stdout).id }]);
    const planned = await quarterdeck(['restore', 'latest', '--repo', repo, '--to', to, '--dry-run', '--json']);
    expect([planned.code, JSON.parse(planned.stdout), existsSync(join(to, 'notes.txt'))]).toMatchObject([0, { create: 4 }, false]);
    expect(await quarterdeck(['restore', 'latest', '--repo', repo, '--to', to])).toMatchObject({ code: 0 });
    expect(await readFile(join(to, 'notes.txt'), 'utf8')).toBe('first of all\n');

    const relative = await quarterdeck(['backup', './data/', '--repo', repo, '--json'], PASSPHRASE, folder);
    expect(JSON.parse(relative.stdout)).toMatchObject({ source: JSON.parse(taken.stdout).source, parent: JSON.parse(taken.stdout).id });

    const again = await quarterdeck(['restore', 'latest', '--repo', repo, '--to', to]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    const itself = await quarterdeck(['copy', '--from', repo, '--to', repo]);
    expect([itself.code, itself.stderr]).toEqual([1, expect.stringContaining('itself')]);
    const fresh = join(folder, 'fresh');
    const both = await Promise.all([data, to].map((source) => quarterdeck(['backup', source, '--repo', fresh])));
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual(both.map(() => [0, expect.any(String)]));
    const wrong = await quarterdeck(['snapshots', '--repo', repo], 'not the passphrase');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("the passphrase opens none of the repository's keys")]);
    const unset = await quarterdeck(['snapshots', '--repo', repo], '');
    expect([unset.code, unset.stderr]).toEqual([1, expect.stringContaining('QUARTERDECK_BACKUP_PASSPHRASE is not set')]);
    const nowhere = await quarterdeck(['snapshots', '--repo', join(folder, 'nowhere')]);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('there is no repository')]);
  });
});
