import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.ts';

/** A service on loopback that speaks a wire protocol of AWS. */
export interface StandIn {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The shell outlives nobody: when this process ends, however it ends, the pipe closes, `read` returns and the server is killed. */
const GUARD = '"$0" "$@" </dev/null & child=$!; trap "kill $child 2>/dev/null" EXIT INT TERM HUP; read -r _';

const binary = findBinary();

/** Why there is no DynamoDB stand-in on this machine; undefined where there is one. In CI its absence fails. */
export const dynamoAbsence = absence();

/** Starts an empty in-memory DynamoDB stand-in on a free port; it ends with `stop` or with this process. */
export async function startDynamoServer(): Promise<StandIn> {
  if (binary === undefined) throw new Error(dynamoAbsence);
  const port = await freePort();
  const args = ['-c', GUARD, binary, 'serve', '--host', '127.0.0.1', '--port', String(port)];
  const guard = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let output = '';
  guard.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await waitForAnswer(endpoint, () => (guard.exitCode === null ? undefined : output));
  return {
    endpoint,
    async stop() {
      guard.stdin.end();
      if (guard.exitCode === null) await once(guard, 'exit');
    },
  };
}

function findBinary(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json')), 'dynoxide');
  } catch {
    return undefined;
  }
}

function absence(): string | undefined {
  if (binary !== undefined) return undefined;
  if (process.env.CI === 'true') throw new Error('the DynamoDB stand-in @dynoxide/linux-x64 is not installed, and CI must have it');
  return `no DynamoDB stand-in for ${process.platform}-${process.arch}`;
}

/** Polls until the server answers HTTP at all; fails when it has ended or after 10 s. */
async function waitForAnswer(endpoint: string, endedWith: () => string | undefined): Promise<void> {
  for (let poll = 0; poll < 400; poll++) {
    const isUp = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    const output = endedWith();
    if (output !== undefined) throw new Error(`the DynamoDB stand-in ended at start: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the DynamoDB stand-in does not answer after 10 s');
}
