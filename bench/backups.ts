import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { changeBackupFolder, hashFolder, makeBackupFolder } from './backup-folder.ts';

/** What one program took for one job. */
interface Taken {
  readonly wallS: number;
  readonly cpuS: number;
  /** Most memory it held, in MB of 10^6 bytes. */
  readonly peakMb: number;
}

/** Figures of one program on the folder. */
export interface BackupRun {
  readonly who: string;
  readonly first: Taken;
  /** After one percent has changed. */
  readonly second: Taken & { readonly newBytes: number };
  readonly restore: Taken;
  readonly repositoryBytes: number;
  /** Objects in the repository after the first backup: puts, on S3. */
  readonly firstObjects: number;
  /** What was restored is what was backed up. */
  readonly isEqual: boolean;
}

/** How a program is asked for each job. */
interface Program {
  readonly who: string;
  readonly env: Readonly<Record<string, string>>;
  readonly init?: readonly string[] | undefined;
  readonly backup: (name: string) => readonly string[];
  readonly restore: (name: string, to: string) => readonly string[];
  /** Where it puts what it restores, below the folder that it is given. */
  readonly restored: (to: string) => string;
}

const debian = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'quarterdeck-debian');
const PYTHON = ['borgbackup', 'python3-msgpack', 'python3-packaging', 'python3-pyparsing', 'python3-pkg-resources'];
const LIBRARIES = ['libxxhash0', 'libb2-1'];
/** Of the folder; 1 GB. */
export const BACKUP_MB = 1_000;
const PASSPHRASE = 'correct horse battery staple';

/** Backs a folder up with each program, changes it, backs it up again, restores it, all in one run. `sizeMb`: of the folder; `only`: some programs. */
export async function compareBackups(sizeMb: number = BACKUP_MB, only?: readonly string[]): Promise<BackupRun[]> {
  const work = mkdtempSync(join(tmpdir(), 'quarterdeck-backups-'));
  try {
    execFileSync(resolve(import.meta.dirname, '..', 'test', 'debian.sh'), ['unpack', 'restic', ...PYTHON, ...LIBRARIES], {
      stdio: 'ignore',
    });
    const folder = join(work, 'data');
    await makeBackupFolder(folder, sizeMb);
    const all = [quarterdeck(work, folder), restic(work, folder), borg(work, folder)];
    const programs = all.filter(({ who }) => only?.includes(who) ?? true);
    const firsts = [];
    for (const program of programs) firsts.push(await takeFirst(program, join(work, program.who)));
    await changeBackupFolder(folder, sizeMb);
    const expected = hashFolder(folder);
    const runs: BackupRun[] = [];
    for (const [i, program] of programs.entries()) {
      runs.push(await finish(program, join(work, program.who), join(work, 'out'), expected, firsts[i] as First));
    }
    return runs;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** After the first backup. */
interface First {
  readonly taken: Taken;
  readonly bytes: number;
  readonly files: number;
}

async function takeFirst(program: Program, repository: string): Promise<First> {
  mkdirSync(repository);
  if (program.init) await run(program, program.init);
  const taken = await run(program, program.backup('first'));
  return { taken, ...sizeOf(repository) };
}

async function finish(program: Program, repository: string, to: string, expected: string, first: First): Promise<BackupRun> {
  const second = await run(program, program.backup('second'));
  const { bytes } = sizeOf(repository);
  mkdirSync(to);
  const restore = await run(program, program.restore('second', to), to);
  const isEqual = hashFolder(program.restored(to)) === expected;
  rmSync(to, { recursive: true });
  return {
    ...{ who: program.who, first: first.taken, second: { ...second, newBytes: bytes - first.bytes }, restore },
    ...{ repositoryBytes: bytes, firstObjects: first.files, isEqual },
  };
}

function quarterdeck(work: string, folder: string): Program {
  const repo = ['--repo', join(work, 'quarterdeck')];
  const command = [process.execPath, resolve(import.meta.dirname, '..', 'bin', 'quarterdeck.js')];
  return {
    who: 'quarterdeck',
    env: { QUARTERDECK_BACKUP_PASSPHRASE: PASSPHRASE },
    backup: (name) => [...command, 'backup', folder, ...repo, '--tag', name],
    restore: (_, to) => [...command, 'restore', 'latest', ...repo, '--to', to],
    restored: (to) => to,
  };
}

/** Its own defaults, which are zstd and chunks of about 1 MiB, in the repository format that has compression. */
function restic(work: string, folder: string): Program {
  const command = [join(debian, 'restic', 'usr', 'bin', 'restic'), '--quiet', '--repo', join(work, 'restic')];
  return {
    who: 'restic',
    env: { RESTIC_PASSWORD: PASSPHRASE, RESTIC_CACHE_DIR: join(work, 'restic-cache') },
    init: [...command, 'init', '--repository-version', '2'],
    backup: (name) => [...command, 'backup', '--tag', name, folder],
    restore: (name, to) => [...command, 'restore', 'latest', '--tag', name, '--target', to],
    restored: (to) => join(to, folder),
  };
}

/** Encrypted, zstd at the level that the others use, its own chunks of about 2 MiB. */
function borg(work: string, folder: string): Program {
  const command = ['python3', join(debian, 'borgbackup', 'usr', 'bin', 'borg')];
  const repository = join(work, 'borg');
  const libraries = LIBRARIES.map((name) => join(debian, name, 'usr', 'lib', 'x86_64-linux-gnu'));
  return {
    who: 'borg',
    env: {
      ...{ BORG_PASSPHRASE: PASSPHRASE, BORG_BASE_DIR: join(work, 'borg-home') },
      PYTHONPATH: PYTHON.map((name) => join(debian, name, 'usr', 'lib', 'python3', 'dist-packages')).join(delimiter),
      LD_LIBRARY_PATH: libraries.join(delimiter),
    },
    init: [...command, 'init', '--encryption', 'repokey', repository],
    backup: (name) => [...command, 'create', '--compression', 'zstd,3', `${repository}::${name}`, folder],
    restore: (name) => [...command, 'extract', `${repository}::${name}`],
    restored: (to) => join(to, folder),
  };
}

/** Runs a program to its end; what it took is read of the kernel while it runs and by the shell's `times` after. */
async function run({ env }: Program, command: readonly string[], cwd?: string): Promise<Taken> {
  const startMs = performance.now();
  // The shell waits for the program alone, so that its children's times are the program's.
  const child = spawn('bash', ['-c', '"$@"; code=$?; times >&3; exit $code', 'bash', ...command], {
    ...{ cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
  });
  let times = '';
  child.stdio[3]?.on('data', (data: Buffer) => {
    times += data.toString();
  });
  let peakMb = 0;
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOfChildren(child.pid));
  }, 20);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`);
  return { wallS: (performance.now() - startMs) / 1_000, cpuS: cpuOf(times), peakMb };
}

/** The second line of `times`: user and system time of children, as 0m1.234s. */
function cpuOf(times: string): number {
  const [, children = ''] = times.trim().split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function peakOfChildren(shell: number | undefined): number {
  try {
    const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const peaks = children.map((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0));
    return (Math.max(0, ...peaks) * 1_024) / 1e6;
  } catch {
    return 0; // it has just ended
  }
}

function sizeOf(folder: string): { bytes: number; files: number } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return { bytes: files.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0), files: files.length };
}
