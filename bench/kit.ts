import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// The benchmark kit beside the project: the same data into Prometheus, VictoriaMetrics and this server, in one run.

/** Where the kit lies: BENCH_KIT, or ../shared/bench beside the project. */
export const kitFolder = process.env.BENCH_KIT ?? resolve(import.meta.dirname, '..', '..', 'shared', 'bench');

export interface KitOptions {
  readonly batch: number;
  /** The kit's real scrape instead of generated data. */
  readonly isReal: boolean;
}

type Who = 'prom' | 'vm' | 'target';

/** Figures of one run. */
export interface KitRun {
  readonly samples: number;
  /** CPU seconds of the server per million samples, merges that follow included. */
  readonly ingestCpu: Readonly<Record<Who, number>>;
  /** Bytes on disk per accepted sample, everything merged. */
  readonly bytesPerSample: Readonly<Record<Who, number>>;
  /** Warm medians in ms by query. */
  readonly p50Ms: Readonly<Record<string, Readonly<Record<Who, number>>>>;
  /** Queries whose answers equal Prometheus', of all. */
  readonly equal: { readonly target: number; readonly vm: number; readonly of: number };
  /** Most memory that the server held, MB of 10^6 bytes. */
  readonly peakMb: Readonly<Record<Who, number>>;
}

/** Whether there is a kit to run. */
export function hasKit(): boolean {
  return existsSync(join(kitFolder, 'compare.sh'));
}

/** Runs the kit once against a server of its own on an empty folder. */
export async function runKit({ batch, isReal }: KitOptions): Promise<KitRun> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-kit-'));
  const data = join(folder, 'data');
  const out = join(folder, 'out');
  const server = spawn(process.execPath, ['bin/quarterdeck.js', 'start'], {
    env: { ...process.env, PORT: '0', QUARTERDECK_DATA: data, QUARTERDECK_SELF: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await readyAt(server.stdout);
    const pid = String(server.pid);
    const real = ['--data', join(kitFolder, 'real-node.jsonl.gz'), '--queries', join(kitFolder, 'queries-real.json')];
    const target = ['--target', url, '--pid', pid, '--target-du', data, '--target-param', 'extrapolation=2.x'];
    execFileSync(join(kitFolder, 'compare.sh'), [...target, '--batch', String(batch), '--out', out, ...(isReal ? real : [])], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const peakMb = peakMemoryMb(pid);
    await compactNow(url);
    return readRun(out, folderBytes(data), peakMb);
  } finally {
    server.kill();
    await new Promise((ended) => server.once('close', ended));
    rmSync(folder, { recursive: true });
  }
}

function readyAt(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((found, failed) => {
    let text = '';
    output.on('data', (chunk) => {
      text += chunk;
      const url = /ready at (http:\S+)/.exec(text)?.[1];
      if (url) found(url);
    });
    output.on('end', () => failed(new Error(`the server ended: ${text}`)));
  });
}

/** Linux's own count of the most that was resident. */
function peakMemoryMb(pid: string): number {
  const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kb) * 1024) / 1e6;
}

/** Compacts to final blocks and deletes what they replaced; the peers are flushed and merged too. */
async function compactNow(url: string): Promise<void> {
  const body = JSON.stringify({ force: true, graceMs: 0 });
  // Twice, since one that runs already keeps the first from anything.
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(`${url}/2015-03-31/functions/storage-compact/invocations`, { method: 'POST', body });
    if (!answer.ok) throw new Error(await answer.text());
    await sleep(5_000); // the database shrinks once nothing is written
  }
}

function folderBytes(folder: string): number {
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function readRun(out: string, targetBytes: number, targetPeakMb: number): KitRun {
  const read = (name: string) => JSON.parse(readFileSync(join(out, name), 'utf8'));
  const each = (of: (who: Who) => number): Record<Who, number> => ({ prom: of('prom'), vm: of('vm'), target: of('target') });
  const accepted = (who: Who): number => read(`${who}.ingest.json`).output.accepted;
  const p50Ms: Record<string, Record<Who, number>> = {};
  for (const { name } of read('prom.query.json').figures) {
    p50Ms[name] = each((who) => read(`${who}.query.json`).figures.find((figure: { name: string }) => figure.name === name).p50_ms);
  }
  const equal = (who: Who): number => read(`${who}.diff.json`).queries.filter((query: { ok: boolean }) => query.ok).length;
  return {
    samples: accepted('target'),
    ingestCpu: each((who) => read(`${who}.ingest.json`).cpu_s_per_million),
    bytesPerSample: each((who) => (who === 'target' ? targetBytes : read(`${who}.disk.json`).flushed) / accepted(who)),
    p50Ms,
    equal: { target: equal('target'), vm: equal('vm'), of: Object.keys(p50Ms).length },
    peakMb: each((who) => (who === 'target' ? targetPeakMb : read(`${who}.ingest.json`).peak_rss_bytes / 1e6)),
  };
}
