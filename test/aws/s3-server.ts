import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const script = resolve(process.env.TOOLS ?? resolve(import.meta.dirname, '..', '..', '..', 'shared', 'tools'), 'radosgw.sh');

/** Key and secret of the stand-in's one user. */
export const s3Credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** Why there is no S3 stand-in on this machine; undefined where there is one. In CI its absence fails. */
export const s3Absence = absence();

/**
 * The endpoint of the S3 stand-in of this test run. It takes 13 s and 180 MB, so that the first who asks starts it, the others
 * wait for it, and a watcher ends it when the run's main process is gone, however that came about.
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
  const store = join(folder, 'store');
  watch(mainPid, folder, store);
  const outcome = await freePort(2)
    .then((port) => run(script, ['start', store, String(port)], { timeout: 300_000 }))
    .then(
      ({ stdout }) => ({ endpoint: stdout.trim() }),
      (error: Error) => ({ failure: error.message }),
    );
  await writeFile(join(folder, 'outcome.part'), JSON.stringify(outcome));
  await rename(join(folder, 'outcome.part'), join(folder, 'outcome.json'));
}

/** A process of its own that outlives the run for a second, stops the stand-in and removes its folder. */
function watch(mainPid: number, folder: string, store: string): void {
  const loop = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" stop "$3"; sleep 1; rm -rf "$4"';
  spawn('/bin/sh', ['-c', loop, 'sh', String(mainPid), script, store, folder], { detached: true, stdio: 'ignore' }).unref();
}

async function waitForEndpoint(folder: string): Promise<string> {
  for (let poll = 0; poll < 3_000; poll++) {
    const text = await readFile(join(folder, 'outcome.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) {
      const outcome = JSON.parse(text) as { endpoint?: string; failure?: string };
      if (outcome.endpoint === undefined) throw new Error(`the S3 stand-in did not start: ${outcome.failure}`);
      return outcome.endpoint;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the S3 stand-in did not start within 300 s');
}

/** Process id and start time, since ids are used again. */
async function processIdentity(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${pid}-${startTime}`;
}

function absence(): string | undefined {
  if (existsSync(script)) return undefined;
  if (process.env.CI === 'true') throw new Error(`the S3 stand-in ${script} is missing, and CI must have it: set TOOLS to its folder`);
  return 'no S3 stand-in: radosgw.sh is not in the folder that TOOLS names';
}
