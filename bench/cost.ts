// Dollars per 10^9 samples on AWS, from counted calls: node bench/cost.ts [2000] [10000]
// One tenant at 15 s intervals, 10^9 samples a month: a day is simulated after a first one, and thirty such days are a month.
import { billedGbMonths, type CallCounts, type Cost, costOf, usEast1 } from '#model/prices.ts';
import { createSimulation, type Simulation, simulateDays } from './simulation.ts';

const SERIES = 5_787; // 10^9 samples / 30 days / 5,760 scrapes a day
const START_MS = Date.parse('2026-03-02T00:00:00Z');
const DAYS_KEPT = { hot: 15, warm: 90, cold: 400 } as const;
const CLASS_OF = { hot: 'standard', warm: 'infrequent', cold: 'archive-instant' } as const;

/**
 * Lambda bills time by memory. A request's time is its CPU time here, scaled by the share of a processor that the memory buys
 * (1,769 MB is one), plus the calls that it waits for: 25 ms a put, 15 ms a get, 6 ms a table call, one after the other.
 */
const MEMORY_MB = { ingest: 1024, 'storage-compact': 1769, 'storage-downsample': 1769 } as const;
const WAIT_MS = { put: 25, get: 15, table: 6 };
/** A line of about 250 bytes per scheduled run and Lambda's own report of every run, which are billed as logs. */
const LOG_BYTES = { ingest: 0, scheduled: 500 };

export interface CostReport {
  readonly batch: number;
  readonly samples: number;
  readonly cost: Cost;
  readonly perMillionCpu: Readonly<Record<string, number>>;
}

/** Simulates and prices one batch size; everything scaled to 10^9 samples. */
export async function priceBatch(batch: number): Promise<CostReport> {
  const simulation = await createSimulation(START_MS);
  let before: CallCounts | undefined;
  let cpuBefore = new Map<string, { seconds: number; runs: number }>();
  const sent = await simulateDays(simulation, { seriesCount: SERIES, batch, startMs: START_MS, days: 2 }, (day) => {
    if (day === 1) {
      before = simulation.counts();
      cpuBefore = structuredClone(simulation.cpu);
    }
  });
  const samples = sent / 2;
  const scale = 1e9 / samples;
  const calls = scaleCounts(subtract(simulation.counts(), before as CallCounts), scale);
  const functions = [...simulation.cpu].map(([name, { seconds, runs }]) => {
    const { seconds: s = 0, runs: r = 0 } = cpuBefore.get(name) ?? {};
    return { name, seconds: (seconds - s) * scale, runs: (runs - r) * scale };
  });
  const cost = costOf(
    {
      calls,
      storedGbMonths: storedGbMonths(simulation, samples),
      functionRequests: functions.reduce((sum, { runs }) => sum + runs, 0),
      functionGbSeconds: functions.reduce((sum, each) => sum + gbSeconds(each, calls), 0),
      logGb:
        functions.reduce((sum, { name, runs }) => sum + runs * (name === 'ingest' ? LOG_BYTES.ingest : LOG_BYTES.scheduled), 0) / 2 ** 30,
    },
    usEast1,
  );
  return { batch, samples, cost, perMillionCpu: Object.fromEntries(functions.map(({ name, seconds }) => [name, seconds / 1000])) };
}

function gbSeconds({ name, seconds, runs }: { name: string; seconds: number; runs: number }, calls: CallCounts): number {
  const memoryMb = MEMORY_MB[name as keyof typeof MEMORY_MB] ?? 512;
  const cpuSeconds = seconds * (1769 / memoryMb);
  const waits =
    name === 'ingest'
      ? runs * (WAIT_MS.put + WAIT_MS.table)
      : name === 'storage-compact'
        ? calls.blobGets.standard * (WAIT_MS.get / 16) + runs * 8 * WAIT_MS.table
        : runs * 3 * WAIT_MS.table;
  return (cpuSeconds + waits / 1000) * (memoryMb / 1024);
}

/** What the last day's blocks come to over their retention, for 10^9 samples. */
function storedGbMonths(simulation: Simulation, samples: number) {
  const total = { standard: 0, infrequent: 0, 'archive-instant': 0 };
  const date = new Date(START_MS).toISOString().slice(0, 10);
  for (const tier of ['hot', 'warm', 'cold'] as const) {
    const prefix = `tier=${tier}/`;
    const stored = [...simulation.blobs.stored].filter(([key]) => key.startsWith(prefix) && key.includes(`date=${date}`));
    const final = stored.filter(([key]) => key.includes('/3-'));
    for (const [, blob] of final) {
      total[CLASS_OF[tier]] += billedGbMonths(CLASS_OF[tier], 1, blob.body.length, DAYS_KEPT[tier]) * (1e9 / samples);
    }
  }
  return total;
}

function subtract(after: CallCounts, before: CallCounts): CallCounts {
  return combine(after, before, (a, b) => a - b);
}

function scaleCounts(counts: CallCounts, factor: number): CallCounts {
  return combine(counts, counts, (a) => a * factor);
}

function combine(a: CallCounts, b: CallCounts, of: (a: number, b: number) => number): CallCounts {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(a)) {
    const other = b[name as keyof CallCounts];
    result[name] =
      typeof value === 'number'
        ? of(value, other as number)
        : Object.fromEntries(
            Object.entries(value as Record<string, number>).map(([k, v]) => [k, of(v, (other as unknown as Record<string, number>)[k])]),
          );
  }
  return result as unknown as CallCounts;
}

if (import.meta.main) {
  const batches = process.argv.slice(2).map(Number);
  for (const batch of batches.length > 0 ? batches : [2_000, 10_000]) {
    const { cost, samples, perMillionCpu } = await priceBatch(batch);
    console.log(`batches of ${batch}: $${cost.total.toFixed(2)} per 10^9 samples (a day of ${samples} samples simulated)`);
    for (const [item, dollars] of Object.entries(cost))
      if (item !== 'total' && dollars >= 0.005) console.log(`  ${item.padEnd(14)} ${dollars.toFixed(2)}`);
    console.log(
      `  CPU-s per 1 M samples: ${Object.entries(perMillionCpu)
        .map(([name, s]) => `${name} ${s.toFixed(3)}`)
        .join(', ')}`,
    );
  }
}
