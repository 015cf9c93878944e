import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { freePort } from '#test/aws/free-port.ts';
import { type RunningServer, startQuarterdeck } from './quarterdeck.ts';

const root = resolve(import.meta.dirname, '..', '..');
const example = join(root, 'docs', 'examples', 'canary');

const Traffic = z.object({ stable: z.string(), canary: z.string().optional(), weight: z.number() });
const Release = z.object({
  id: z.string(),
  state: z.string(),
  step: z.number(),
  weight: z.number(),
  gates: z.array(z.object({ name: z.string(), state: z.string(), sentence: z.string() })),
  history: z.array(z.object({ kind: z.string(), sentence: z.string() })),
});

/** The example's own configuration, in less time: what stands in it has to stand in it. */
function shorten(yaml: string, port: number): string {
  const shorter: readonly (readonly [string, string])[] = [
    ['interval: 5s', 'interval: 2s'],
    ['step: 2s', 'step: 1s'],
    ['relative: 0.25', 'relative: 0.5'], // so that fewer customers say enough
    ['absolute: 0.02', 'absolute: 0.05'],
    ['looks: 12', 'looks: 12\n    consecutiveErrorLimit: 20'], // while the server is down there are none
    ['pause: 20s', 'pause: 2s'],
    ['http://127.0.0.1:4400', `http://127.0.0.1:${port}`],
  ];
  return shorter.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, yaml);
}

describe('the canary in docs/examples', () => {
  let folder: string;
  let server: RunningServer;
  let shop: ChildProcess;
  let shopUrl: string;
  let start: () => Promise<RunningServer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterdeck-canary-'));
    const [port, shopPort] = [await freePort(), await freePort()];
    const config = join(folder, 'config');
    await cp(example, config, { recursive: true });
    const file = join(config, 'applications', 'shop.yaml');
    await writeFile(file, shorten(await readFile(file, 'utf8'), shopPort));
    const env = { PORT: String(port), QUARTERDECK_CONFIG: config, QUARTERDECK_ALLOW_PRIVATE_TARGETS: 'on', QUARTERDECK_SELF: 'off' };
    start = () => startQuarterdeck(join(folder, 'data'), env);
    server = await start();
    shopUrl = `http://127.0.0.1:${shopPort}`;
    shop = spawn(process.execPath, [join(config, 'service.js'), server.url, String(shopPort), '250'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(shop.stdout as NodeJS.ReadableStream, 'data'); // it listens
  }, 60_000);
  afterAll(async () => {
    shop.kill();
    await server.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const traffic = async () => Traffic.parse(await (await fetch(shopUrl)).json());
  const show = async (id: string) => Release.parse(await (await fetch(`${server.url}/api/releases/${id}`)).json());

  /** The command line, as a pipeline runs it. */
  async function quarterdeck(...args: string[]): Promise<{ code: number; out: string; told: string }> {
    const child = spawn(process.execPath, [join(root, 'bin', 'quarterdeck.js'), ...args, '--url', server.url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, told] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, out, told };
  }

  async function release(version: string): Promise<string> {
    const { code, out, told } = await quarterdeck('release', 'start', 'shop', 'production', version, '--json');
    expect([code, told]).toEqual([0, '']);
    return Release.pick({ id: true }).parse(JSON.parse(out)).id;
  }

  /**
   * Looks until it is so, and begins an analysis anew that cannot tell, as a person does when telemetry was away for long. A release that
   * comes to an end before fails with its history.
   */
  async function until(id: string, isSo: (release: z.infer<typeof Release>) => boolean): Promise<void> {
    for (;;) {
      const seen = await show(id);
      if (isSo(seen)) return;
      if (['promoted', 'rolled-back', 'cancelled'].includes(seen.state)) throw new Error(JSON.stringify(seen.history, null, 2));
      if (seen.gates.some(({ sentence }) => sentence.startsWith('inconclusive'))) await quarterdeck('release', 'retry', id);
      await sleep(200);
    }
  }

  it('promotes a good version, over a kill of the server in its middle', { timeout: 240_000 }, async () => {
    const id = await release('1.1.0');
    await until(id, ({ weight, step }) => step === 1 && weight === 10);
    const waiting = quarterdeck('release', 'wait', id);
    await server.end('SIGKILL');
    expect(await traffic()).toEqual({ stable: '1.0.0', canary: '1.1.0', weight: 10 });
    server = await start();
    await until(id, ({ gates }) => gates.some(({ name, state }) => name === 'approval' && state === 'shut'));
    expect((await traffic()).weight).toBe(10);
    expect((await quarterdeck('release', 'approve', id, '--actor', 'ann', '--why', 'looks good')).code).toBe(0);

    await until(id, ({ state }) => state === 'promoted');
    const { code, told } = await waiting;
    expect([code, told.trim().split('\n').at(-1)]).toEqual([0, expect.stringContaining('shop 1.1.0 in production: promoted, 100 %')]);
    expect(await show(id)).toMatchObject({ state: 'promoted', weight: 100 });
    const { stable, canary, weight } = await traffic();
    expect(weight === 0 ? stable : weight === 100 ? canary : undefined).toBe('1.1.0');
    const history = (await show(id)).history.map(({ sentence }) => sentence).join('\n');
    expect(history).toContain('approved by ann: looks good');
    expect(history.match(/analysis health at look \d+: pass/g)).toHaveLength(2);
  });

  it('catches a bad version by what the shop tells, and takes it back', { timeout: 240_000 }, async () => {
    const { code, out, told } = await quarterdeck('release', 'start', 'shop', 'production', '1.2.0-bad', '--wait');
    expect([code, told.trim().split('\n').at(-1)]).toEqual([1, expect.stringContaining('shop 1.2.0-bad in production: rolled-back, 0 %')]);
    const id = out.split(':')[0] ?? '';
    const { state, weight, step, history } = await show(id);
    expect({ state, weight, step }).toEqual({ state: 'rolled-back', weight: 0, step: 1 });
    expect(await traffic()).not.toMatchObject({ canary: '1.2.0-bad' });
    expect(history.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['requested', 'started', 'traffic', 'analysis', 'ended']));
    expect(history.find(({ kind }) => kind === 'analysis')?.sentence).toMatch(
      /: fail\. The canary fails at look \d+ of 12 by .*(errors|latency)/,
    );
    expect(history.at(-1)?.sentence).toMatch(/^rolled-back: analysis health at look \d+: fail/);
    expect(server.complaints()).toBe('');
  });

  it('has nobody to compare a version with that is there already', { timeout: 60_000 }, async () => {
    const { code, told } = await quarterdeck('release', 'start', 'shop', 'production', '1.1.0', '--wait');
    expect([code, told]).toEqual([0, expect.stringContaining('1.1.0 has all traffic of production already')]);
  });
});
