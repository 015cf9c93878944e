import { loadConfig } from '#config/load-config.ts';
import { createDeps, type FunctionDeps } from '#functions/deps.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import type { CallCounts } from '#model/prices.ts';
import { createCallCounter } from '#ports/counted.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryBus } from '#ports/memory/memory-bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { compact } from '#storage/compact.ts';
import { downsample } from '#storage/downsample.ts';
import { expire } from '#storage/expire.ts';
import { createReadCache } from '#storage/read-cache.ts';
import { sweep } from '#storage/sweep.ts';
import { createGenerator, type GeneratedShape } from './generate.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** CPU seconds, runs, requests to S3, DynamoDB and EventBridge, and bytes to and from S3. */
export interface WorkDone {
  readonly seconds: number;
  readonly runs: number;
  readonly requests: number;
  readonly bytes: number;
}

/** A deployment in memory: the functions as on Lambda (nothing cached between runs), every call counted, a clock of its own. */
export interface Simulation {
  readonly deps: FunctionDeps;
  /** Dependencies of a fresh function instance with this much cache. */
  fresh(cacheBytes: number): FunctionDeps;
  counts(): CallCounts;
  /** What each function took in all its runs. */
  readonly cpu: Map<string, WorkDone>;
  readonly blobs: ReturnType<typeof createMemoryBlobs>;
  setNow(nowMs: number): void;
}

export async function createSimulation(startMs: number): Promise<Simulation> {
  let nowMs = startMs;
  const now = () => nowMs;
  const counter = createCallCounter();
  const blobs = createMemoryBlobs({ clock: now });
  const ports = {
    blobs: counter.countBlobs(blobs),
    table: counter.countTable(createMemoryTable({ clock: now })),
    bus: counter.countBus(createMemoryBus()),
    uploads: createMemoryUploads(blobs),
  };
  const config = await loadConfig({ readFile: async () => undefined, list: async () => [] });
  const fresh = (cacheBytes: number) =>
    createDeps(ports, config, {
      now,
      observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
      cache: createReadCache(cacheBytes),
      inlineBytes: 4096,
      graceMs: 600_000,
      pause: async () => {},
      externalUrl: '',
      allowPrivateTargets: false,
    });
  return {
    deps: fresh(0),
    fresh,
    counts: () => counter.counts(),
    cpu: new Map(),
    blobs,
    setNow(ms) {
      nowMs = ms;
    },
  };
}

const nothing: WorkDone = { seconds: 0, runs: 0, requests: 0, bytes: 0 };

/** Runs a piece of work, its CPU time and calls counted under a name. */
export async function timed<T>(simulation: Simulation, name: string, run: () => Promise<T>): Promise<T> {
  const { result, work } = await measureWork(simulation, run);
  const known = simulation.cpu.get(name) ?? nothing;
  simulation.cpu.set(name, addWork(known, work));
  return result;
}

/** Runs a piece of work and tells what it took. */
export async function measureWork<T>(simulation: Simulation, run: () => Promise<T>): Promise<{ result: T; work: WorkDone }> {
  const before = totalsOf(simulation.counts());
  const cpuBefore = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(cpuBefore);
  const after = totalsOf(simulation.counts());
  const calls = { requests: after.requests - before.requests, bytes: after.bytes - before.bytes };
  return { result, work: { seconds: (user + system) / 1e6, runs: 1, ...calls } };
}

/** Both together. */
export function addWork(a: WorkDone, b: WorkDone): WorkDone {
  return { seconds: a.seconds + b.seconds, runs: a.runs + b.runs, requests: a.requests + b.requests, bytes: a.bytes + b.bytes };
}

function totalsOf(counts: CallCounts): { requests: number; bytes: number } {
  const sum = (perClass: Readonly<Record<string, number>>) => Object.values(perClass).reduce((total, each) => total + each, 0);
  const blobs = sum(counts.blobPuts) + sum(counts.blobGets) + counts.blobLists + counts.blobDeletes;
  return {
    requests: blobs + counts.tableReads + counts.tableWrites + counts.busCalls,
    bytes: sum(counts.blobPutBytes) + sum(counts.blobGetBytes),
  };
}

/** Sends `days` days of samples, the scheduled functions running at their times. Returns how many samples were sent. */
export async function simulateDays(
  simulation: Simulation,
  { batch, startMs, days, ...shape }: GeneratedShape & { batch: number; startMs: number; days: number },
  onDay: (day: number) => void = () => {},
): Promise<number> {
  const generator = createGenerator({ ...shape, startMs });
  let sent = 0;
  let minute = Math.floor(startMs / MINUTE_MS);
  let day = 0;
  while (generator.nowMs() < startMs + days * DAY_MS) {
    const decoded = generator.next(batch);
    simulation.setNow(generator.nowMs());
    await timed(simulation, 'ingest', () => ingestSamples(simulation.deps.ingest, { tenant: 'default', protocol: 'bench', decoded }));
    sent += batch;
    for (; (minute + 1) * MINUTE_MS <= generator.nowMs(); minute++) await runScheduled(simulation, (minute + 1) * MINUTE_MS);
    const today = Math.floor((generator.nowMs() - startMs) / DAY_MS);
    if (today > day) {
      day = today;
      onDay(day);
    }
  }
  return sent;
}

/** Lets the scheduled functions run from one time to another while nothing is sent. */
export async function simulateIdle(simulation: Simulation, fromMs: number, toMs: number): Promise<void> {
  for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) await runScheduled(simulation, atMs + MINUTE_MS);
}

/** What functions/schedules.ts runs at a minute. */
async function runScheduled(simulation: Simulation, atMs: number): Promise<void> {
  simulation.setNow(atMs);
  const { storage, table, bus } = simulation.fresh(0);
  await timed(simulation, 'storage-compact', () => compact(storage));
  if (atMs % (10 * MINUTE_MS) === 0) await timed(simulation, 'storage-downsample', () => downsample(storage));
  if (atMs % DAY_MS === 200 * MINUTE_MS) await timed(simulation, 'storage-expire', () => expire(storage));
  if (atMs % DAY_MS === 230 * MINUTE_MS) await timed(simulation, 'storage-sweep', () => sweep(storage));
  await timed(simulation, 'events-publish', () => publishOutbox({ table, bus }));
}
