import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkRepository } from '#backups/check/check-repository.ts';
import { createRepository } from '#backups/repository/create-repository.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { openFolderBlobs } from '#local/backup/folder-blobs.ts';
import { openFolderTarget } from '#local/backup/folder-target.ts';
import { seededRandom } from '#test/storage/seeded-random.ts';

const bin = resolve(import.meta.dirname, '..', '..', 'bin', 'quarterdeck.js');
const ROUNDS = Number(process.env.QUARTERDECK_TEST_KILLS ?? 8);
const SEED = Number(process.env.QUARTERDECK_TEST_SEED ?? 1);
const PASSPHRASE = 'killed again and again';
const FILES = 40;
const TWO_DAYS_S = 2 * 86_400;

/** What lies in a folder: a digest for each file, by path. */
type Tree = ReadonlyMap<string, string>;

interface Scene {
  readonly folder: string;
  readonly random: () => number;
  readonly repository: Repository;
  /** What each snapshot must restore to. */
  readonly trees: Map<string, Tree>;
  /** How long a backup takes that is not killed. */
  fullMs: number;
}

const path = ({ folder }: Scene, name: string) => join(folder, name);

async function createScene(folder: string): Promise<Scene> {
  const blobs = await openFolderBlobs(join(folder, 'repository'), { create: true });
  const repository = await createRepository({ blobs, randomBytes, clock: Date.now }, { unlock: { passphrase: PASSPHRASE } });
  return { folder, random: seededRandom(SEED), repository, trees: new Map(), fullMs: 0 };
}

async function readTree(folder: string): Promise<Tree> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const tree = new Map<string, string>();
  for (const name of names) {
    const full = join(folder, name);
    const isFolder = (await lstat(full)).isDirectory();
    tree.set(
      name,
      isFolder
        ? 'folder'
        : createHash('sha256')
            .update(await readFile(full))
            .digest('hex'),
    );
  }
  return tree;
}

/** Changes a fifth of the files, one large one among them now and then. */
async function changeSource(scene: Scene): Promise<void> {
  const count = scene.trees.size === 0 ? FILES : FILES / 5;
  for (let n = 0; n < count; n++) {
    const number = scene.trees.size === 0 ? n : Math.floor(scene.random() * FILES);
    const folder = path(scene, `source/${number % 5}`);
    await mkdir(folder, { recursive: true });
    const sizeBytes = Math.floor(scene.random() ** 4 * (2 << 20));
    await writeFile(join(folder, `file ${number}`), randomBytes(sizeBytes));
  }
}

/** Runs the command, and kills it after so long. Its exit code; null where it was killed. */
async function command(args: readonly string[], killAfterMs?: number): Promise<number | null> {
  const env = { PATH: process.env.PATH, QUARTERDECK_BACKUP_PASSPHRASE: PASSPHRASE };
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const ended = new Promise<number | null>((end) => child.once('close', end));
  const killing = new AbortController();
  if (killAfterMs !== undefined) {
    void sleep(killAfterMs, undefined, { signal: killing.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
  }
  const code = await ended;
  killing.abort();
  if (code !== null && code !== 0 && !complaints.includes('was ended by a pruner')) throw new Error(`${args.join(' ')}: ${complaints}`);
  return code;
}

const backup = (scene: Scene, killAfterMs?: number) =>
  command(['backup', path(scene, 'source'), '--repo', path(scene, 'repository')], killAfterMs);
const prune = (scene: Scene, killAfterMs?: number) =>
  command(['forget', '--repo', path(scene, 'repository'), '--keep-last', '3', '--prune'], killAfterMs);
const restore = (scene: Scene, id: string, killAfterMs?: number) =>
  command(['restore', id, '--repo', path(scene, 'repository'), '--to', path(scene, 'restored'), '--yes'], killAfterMs);

const repair = (scene: Scene, killAfterMs?: number) => command(['repair', '--repo', path(scene, 'repository')], killAfterMs);
const copy = (scene: Scene, killAfterMs?: number) =>
  command(['copy', '--from', path(scene, 'repository'), '--to', path(scene, 'copies')], killAfterMs);

/** Makes what killed sessions have left look two days old, so that a pruner no longer waits for them. */
async function ageSessions(scene: Scene): Promise<void> {
  const folder = path(scene, 'repository/objects/sessions');
  const atS = Date.now() / 1_000 - TWO_DAYS_S;
  for (const name of await readdir(folder, { recursive: true }).catch(() => []))
    await utimes(join(folder, name), atS, atS).catch(() => undefined);
}

/** All is sound, and every snapshot that there is restores to what it was taken of. */
async function expectSound(scene: Scene, current: Tree): Promise<Snapshot[]> {
  const { repository, trees } = scene;
  const snapshots = (await listSnapshots(repository)).filter(({ tags }) => !tags.includes('before-restore'));
  // The source stood still since the last look: what is new is of it.
  for (const { id } of snapshots) if (!trees.has(id)) trees.set(id, current);
  expect((await checkRepository({ repository, data: 'all' })).problems).toEqual([]);
  const picked = snapshots[Math.floor(scene.random() * snapshots.length)] as Snapshot;
  const to = path(scene, 'proof');
  const { missing } = await runRestore({ repository, snapshot: picked, target: await openFolderTarget(to, { sync: 'never' }) });
  expect([missing, await readTree(to)]).toEqual([[], trees.get(picked.id)]);
  await rm(to, { recursive: true });
  return snapshots;
}

/** One or two commands at once, all of them killed at some moment, most of them before they end. */
async function killSome(scene: Scene, snapshots: readonly Snapshot[]): Promise<void> {
  const { random } = scene;
  const at = () => scene.fullMs * (0.35 + 0.8 * random());
  const some = snapshots.at(-1) as Snapshot;
  const acts = [
    () => Promise.all([backup(scene, at())]),
    () => Promise.all([prune(scene, at())]),
    () => Promise.all([backup(scene, at()), prune(scene, at())]),
    () => Promise.all([backup(scene, at()), backup(scene, at())]),
    () => Promise.all([prune(scene, at()), prune(scene, at())]),
    () => Promise.all([restore(scene, some.id, at()), prune(scene, at())]),
    () => Promise.all([repair(scene, at()), prune(scene, at())]),
    () => Promise.all([repair(scene, at()), backup(scene, at())]),
    () => Promise.all([copy(scene, at()), prune(scene, at())]),
  ];
  await (acts[Math.floor(random() * acts.length)] as () => Promise<unknown>)();
}

describe('backups, prunes, restores, repairs and copies of a folder, killed again and again', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterdeck-backup-kills-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it(`leave a sound repository after each of ${ROUNDS} rounds, seed ${SEED}`, { timeout: 30_000 * (ROUNDS + 2) }, async () => {
    const scene = await createScene(folder);
    await changeSource(scene);
    const startMs = performance.now();
    expect(await backup(scene)).toBe(0);
    scene.fullMs = performance.now() - startMs;
    let snapshots = await expectSound(scene, await readTree(path(scene, 'source')));
    for (let round = 0; round < ROUNDS; round++) {
      await changeSource(scene);
      if (scene.random() < 0.7) await ageSessions(scene);
      await killSome(scene, snapshots);
      snapshots = await expectSound(scene, await readTree(path(scene, 'source')));
    }
    // What was killed is no hindrance: all goes on to its end.
    await ageSessions(scene);
    expect([await prune(scene), await backup(scene), await repair(scene), await copy(scene)]).toEqual([0, 0, 0, 0]);
    const copies = await openRepository(
      { blobs: await openFolderBlobs(path(scene, 'copies')), randomBytes },
      { unlock: { passphrase: PASSPHRASE } },
    );
    expect((await checkRepository({ repository: copies, data: 'all' })).problems).toEqual([]);
    snapshots = await expectSound(scene, await readTree(path(scene, 'source')));
    const last = snapshots.at(-1) as Snapshot;
    expect(await restore(scene, last.id)).toBe(0);
    const [restored, source] = [await readTree(path(scene, 'restored')), await readTree(path(scene, 'source'))];
    // Files of other snapshots that a killed restore has left may stand beside.
    expect([...source].filter(([name, digest]) => restored.get(name) !== digest)).toEqual([]);
  });
});
