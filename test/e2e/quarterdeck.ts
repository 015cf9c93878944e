import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const bin = resolve(import.meta.dirname, '..', '..', 'bin', 'quarterdeck.js');

/** The real server, as `npm start` runs it. */
export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  /** What it has told its operator: nothing, as long as all is well. */
  complaints(): string;
  /** Ends it with the signal and resolves to its exit code (null where the signal ended it). */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** Starts the server on a free port over a data folder; fails with what it printed if it does not get ready. */
export async function startQuarterdeck(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const child = spawnServer(dataDir, env);
  let complaints = '';
  child.stderr?.on('data', (chunk) => {
    complaints += chunk;
  });
  const url = await readyAddress(child);
  return {
    url,
    pid: child.pid as number,
    complaints: () => complaints,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'exit');
      child.kill(signal);
      const [code] = await ended;
      return code;
    },
  };
}

/** Starts the server and kills it after so long, ready or not. */
export async function startAndKill(dataDir: string, env: Readonly<Record<string, string>>, afterMs: number): Promise<void> {
  const child = spawnServer(dataDir, env);
  const ended = once(child, 'exit');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await ended;
}

function spawnServer(dataDir: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [bin, 'start'], {
    env: { PATH: process.env.PATH, PORT: '0', QUARTERDECK_DATA: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function readyAddress(child: ChildProcess): Promise<string> {
  const printed: string[] = [];
  child.stderr?.on('data', (chunk) => printed.push(String(chunk)));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const url = /ready at (http\S+)/.exec(line)?.[1];
    if (url) return url;
    printed.push(line);
  }
  throw new Error(`the server did not start: ${printed.join('\n')}`);
}

/** The result of an instant query; fails with the answer where it is no success. */
export async function query(url: string, expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) });
  const body = (await response.json()) as {
    status: string;
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (body.status !== 'success') throw new Error(JSON.stringify(body));
  return body.data.result;
}
