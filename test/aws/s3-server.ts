import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { freePort } from './free-port.ts';

const script = resolve(import.meta.dirname, 'radosgw.sh');

/** Key and secret of the stand-in's one user. */
export const s3Credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** How long the stand-in may take to start, the download of its packages included. */
export const S3_START_MS = 300_000;

/** Why there is no S3 stand-in on this machine; undefined where there is one. In CI its absence fails. */
export const s3Absence = absence();

/**
 * The endpoint of the S3 stand-in of this test run. It takes 13 s and 180 MB, so that the first who asks starts it, the others
 * wait for it, and it ends when the run's main process is gone, however that came about.
 */
export async function s3Endpoint(): Promise<string> {
  if (s3Absence !== undefined) throw new Error(s3Absence);
  const mainPid = isMainThread ? process.ppid : process.pid; // vitest runs test files in child processes, or else in threads
  const folder = join(tmpdir(), `quarterdeck-s3-${await processIdentity(mainPid)}`);
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (isFirst) await start(folder, mainPid);
  return await waitForEndpoint(folder);
}

async function start(folder: string, mainPid: number): Promise<void> {
  const port = await freePort(2);
  await writeFile(join(folder, 'port'), String(port));
  spawn(script, ['run', folder, String(port), String(mainPid)], { detached: true, stdio: 'ignore' }).unref();
}

async function waitForEndpoint(folder: string): Promise<string> {
  for (const deadlineMs = Date.now() + S3_START_MS; Date.now() < deadlineMs; await sleep(100)) {
    if (existsSync(join(folder, 'ready'))) return `http://127.0.0.1:${await readFile(join(folder, 'port'), 'utf8')}`;
    const failure = await readFile(join(folder, 'failed'), 'utf8').catch(() => undefined);
    if (failure !== undefined) throw new Error(`the S3 stand-in did not start: ${failure}`);
  }
  throw new Error(`the S3 stand-in did not start within ${S3_START_MS / 1_000} s`);
}

/** Process id and start time, since ids are used again. */
async function processIdentity(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${pid}-${startTime}`;
}

/** Outside CI a test run downloads nothing: the stand-in counts as present once its packages are unpacked. */
function absence(): string | undefined {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  if (existsSync(join(cache, 'quarterdeck-radosgw', 'root', 'usr', 'bin', 'radosgw'))) return undefined;
  if (process.env.CI !== 'true') return 'no S3 stand-in: test/aws/radosgw.sh unpack fetches it on Debian 12';
  execFileSync(script, ['unpack'], { timeout: S3_START_MS });
  return undefined;
}
