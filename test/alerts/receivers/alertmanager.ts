import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '#test/aws/free-port.ts';
import { debianProgram } from '#test/debian.ts';

/** Debian's Alertmanager, or undefined where this machine lacks it. */
export const program = debianProgram('prometheus-alertmanager', 'prometheus-alertmanager');

// Debian's has its default templates in a folder of the system, which an unpacked package is not. In a copy of the program that path is
// one of the same length, the folder that it runs in.
const SYSTEM_PATH = '/usr/share/prometheus/alertmanager';
const OWN_PATH = `/proc/self/cwd${'/.'.repeat(10)}`;

/** Starts it on loopback, alone, and waits until it answers. */
export async function startAlertmanager(config: object, externalUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-alertmanager-'));
  const text = (await readFile(program!)).toString('latin1').replaceAll(SYSTEM_PATH, OWN_PATH);
  await writeFile(join(folder, 'alertmanager'), text, { encoding: 'latin1', mode: 0o755 });
  await writeFile(join(folder, 'alertmanager.yml'), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    join(folder, 'alertmanager'),
    [
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      `--web.external-url=${externalUrl}`,
      '--web.route-prefix=/',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: resolve(program!, '../../share/prometheus/alertmanager') },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return { url, stop };
    await sleep(50);
  }
  await stop();
  throw new Error(`Alertmanager does not start: ${log.slice(-2_000)}`);
}
