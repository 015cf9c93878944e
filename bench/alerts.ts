// What alerting costs: node bench/alerts.ts [--only storm,posted,rules]
// The comparison with Prometheus needs the benchmark kit (see bench/kit.ts). BENCH_DATA names a payload file of the kit that is already
// made (its times must reach into the next hour), BENCH_PEER the port of a Prometheus that already has it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { loadConfig } from '#config/load-config.ts';
import { MINUTE_MS } from '#core/time.ts';
import { evaluateDeps } from '#functions/alerts-deps.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import { decodeRemoteWriteV1 } from '#ingest/remote-write-v1.ts';
import { createSeriesCache } from '#ingest/series-cache.ts';
import { uncompressSnappy } from '#ingest/snappy.ts';
import { compact } from '#storage/compact.ts';
import { measurePosted, measureStorm } from './alert-storm.ts';
import { kitFolder } from './kit.ts';
import { makeRuleSet } from './rule-set.ts';
import { createSimulation, measureWork, type Simulation } from './simulation.ts';

const EVALUATIONS = 7;

/** CPU seconds of one evaluation of all rules. */
export interface RulesFigure {
  readonly first: number;
  readonly p50: number;
  readonly prometheus: number | undefined;
}

/** 1,000 rules over a day of the kit's data, beside Prometheus on the same rules and data. */
export async function measureRules(): Promise<RulesFigure> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-alerts-'));
  try {
    const payload = process.env.BENCH_DATA ?? generatePayload(join(folder, 'data.rw'));
    const peer = await startPeer(payload);
    const rules = join(folder, 'rules.yml');
    writeFileSync(rules, JSON.stringify({ groups: makeRuleSet() }));
    const times = await measureOurs(payload, rules);
    return { first: times[0] as number, p50: median(times.slice(1)), prometheus: await measurePeer(peer, rules) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From yesterday's hour on to past the end of the measurement. */
function generatePayload(path: string): string {
  const start = (Math.floor(Date.now() / 3_600_000) - 24) * 3_600;
  execFileSync(
    process.execPath,
    [join(kitFolder, 'gen.mjs'), '--start', String(start), '--hours', '27', '--batch', '5000', '--out-rw', path],
    {
      stdio: 'ignore',
    },
  );
  return path;
}

/** The bodies of a payload file: 8 bytes of magic, then length, samples and body of each. */
function* readBodies(path: string): Generator<Uint8Array> {
  const file = readFileSync(path);
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32LE(at);
    yield file.subarray(at + 8, at + 8 + length);
    at += 8 + length;
  }
}

/** CPU seconds of evaluations a minute apart, the samples of each minute arriving before it. */
async function measureOurs(payload: string, rulesPath: string): Promise<number[]> {
  const atMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const simulation = await createSimulation(atMs);
  const config = await loadConfig({
    readFile: async (path) => (path === 'rules/bench.yaml' ? readFileSync(rulesPath, 'utf8') : undefined),
    list: async () => ['rules/bench.yaml'],
  });
  const warm: FunctionDeps = { ...simulation.fresh(256 * 1024 * 1024), config };
  const series = createSeriesCache({ maxSeries: 100_000, limits: defaultIngestLimits });
  const bodies = readBodies(payload);
  const times: number[] = [];
  for (let i = 0; i < EVALUATIONS; i++) {
    await ingestUntil(simulation, bodies, series, atMs + i * MINUTE_MS);
    const { work } = await measureWork(simulation, () => evaluateRules(evaluateDeps(warm), ['default']));
    console.error(`evaluation ${i}: ${work.seconds.toFixed(2)} s CPU, ${work.requests} requests, ${(work.bytes / 1e6).toFixed(1)} MB`);
    times.push(work.seconds);
  }
  return times;
}

async function ingestUntil(
  simulation: Simulation,
  bodies: Iterator<Uint8Array>,
  series: ReturnType<typeof createSeriesCache>,
  untilMs: number,
): Promise<void> {
  for (let lastMs = 0, compactedMs = 0; lastMs < untilMs; ) {
    const { value, done } = bodies.next();
    if (done) throw new Error('the data ends before the measurement does');
    const decoded = decodeRemoteWriteV1({ series }, uncompressSnappy(value));
    lastMs = decoded.batch.ts.at(-1) as number;
    simulation.setNow(lastMs);
    await ingestSamples(simulation.deps.ingest, { tenant: 'default', protocol: 'bench', decoded });
    if (lastMs - compactedMs < 10 * MINUTE_MS) continue;
    compactedMs = lastMs;
    await compact(simulation.deps.storage);
  }
  simulation.setNow(untilMs);
}

const peerPort = () => process.env.BENCH_PEER ?? '39733';

function callPeer(verb: string): string {
  return execFileSync(join(kitFolder, 'peer.sh'), [verb, 'prom', peerPort()], { encoding: 'utf8' }).trim();
}

async function startPeer(payload: string): Promise<number | undefined> {
  if (!existsSync(join(kitFolder, 'peer.sh'))) return undefined;
  if (process.env.BENCH_PEER === undefined) {
    callPeer('start');
    execFileSync(
      process.execPath,
      [join(kitFolder, 'push.mjs'), '--url', `${callPeer('url')}/api/v1/write`, '--concurrency', '1', payload],
      {
        stdio: 'ignore',
      },
    );
  }
  return Number(callPeer('pid'));
}

const SETTLE_MS = 90_000;
const PEER_MINUTES = 4;

/** CPU seconds that a minute's evaluation takes Prometheus: those of some minutes with the rules, less those of as many without. */
async function measurePeer(pid: number | undefined, rulesPath: string): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const config = resolve(callPeer('dir'), '..', `prom-${peerPort()}.yml`);
  const before = readFileSync(config, 'utf8');
  const cpuOf = async (minutes: number) => {
    const start = cpuSeconds(pid);
    await sleep(minutes * MINUTE_MS);
    return cpuSeconds(pid) - start;
  };
  const idle = (await cpuOf(1)) * PEER_MINUTES;
  writeFileSync(config, `${before}rule_files: [${JSON.stringify(rulesPath)}]\n`);
  process.kill(pid, 'SIGHUP');
  await sleep(SETTLE_MS);
  const busy = await cpuOf(PEER_MINUTES);
  console.error(`Prometheus: ${busy.toFixed(2)} s CPU in ${PEER_MINUTES} minutes with the rules, ${idle.toFixed(2)} without`);
  writeFileSync(config, before);
  if (process.env.BENCH_PEER === undefined) for (const verb of ['stop', 'wipe']) callPeer(verb);
  else process.kill(pid, 'SIGHUP');
  return (busy - idle) / PEER_MINUTES;
}

/** User and system time of a process; a tick is 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] as number;
}

const sections = { storm: measureStorm, posted: measurePosted, rules: measureRules } as const;
type Section = keyof typeof sections;

/** A section in a process of its own, whose memory is its own. */
export function measureAlone<S extends Section>(
  section: S,
  nodeOptions: readonly string[] = [],
): Awaited<ReturnType<(typeof sections)[S]>> {
  const args = [...nodeOptions, import.meta.filename, '--only', section];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const wanted = (values.only?.split(',') ?? Object.keys(sections)) as Section[];
  if (wanted.length === 1) console.log(JSON.stringify(await sections[wanted[0] as Section]()));
  else for (const name of wanted) console.log(name, measureAlone(name));
}
