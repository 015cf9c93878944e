// What ten times as many series, and ten times as many days, cost: node bench/growth.ts
// A deployment is simulated in memory at a base size and at both larger ones; each query then runs on a fresh function instance.
import { evaluateQuery } from '#query/evaluate.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { addWork, createSimulation, measureWork, type Simulation, simulateDays, simulateIdle, type WorkDone } from './simulation.ts';

const START_MS = Date.parse('2026-03-02T00:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BATCH = 2_000;
const BASE = { services: 20, days: 1 };
const METRICS = 10;
const INSTANCES = 2;
const FACTOR = 10;
/** Long enough for the last day to become final, be downsampled, cleaned and swept. */
const SETTLE_MS = 5 * HOUR_MS;
const CACHE_BYTES = 512 * 2 ** 20; // as in functions/query/http.ts
const RUNS = 5;
const GROWTH_BAR = 12;
/** One service reads whole row groups and footers; they may come out larger by chance, but not by how many other services there are. */
const SHARE_SLACK = 2;

/** A query's work on a fresh function instance; CPU is the median of several. */
export interface QueryWork extends WorkDone {
  /** Objects that were opened. */
  readonly objects: number;
  readonly samples: number;
  readonly tiers: string;
}

export interface SizeFigures {
  readonly name: string;
  readonly services: number;
  readonly days: number;
  readonly samples: number;
  readonly ingest: WorkDone;
  /** Compaction, downsampling, expiry, sweep and the outbox. */
  readonly storage: WorkDone;
  readonly storedBytes: number;
  readonly queries: Readonly<Record<string, QueryWork>>;
}

/** A condition of the figure, and what was measured. */
export interface Bar {
  readonly what: string;
  readonly most: number;
  readonly measured: number;
  readonly holds: boolean;
}

export interface GrowthReport {
  readonly sizes: readonly SizeFigures[];
  readonly bars: readonly Bar[];
}

interface QueryPlan {
  readonly expr: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

const METRIC = 'app_metric_0_total';
const FIRST_DAY = { fromMs: START_MS + HOUR_MS, toMs: START_MS + DAY_MS - 60_000, stepMs: 300_000 };
const LONG = { fromMs: START_MS - DAY_MS, toMs: START_MS + FACTOR * DAY_MS - 60_000, stepMs: HOUR_MS };

/** Asked once everything is settled; `recent` while the last day is under way. */
const plans: Readonly<Record<string, QueryPlan>> = {
  'one service, a day': { expr: `sum(rate(${METRIC}{job="service-3"}[5m]))`, ...FIRST_DAY },
  'all services, a day': { expr: `sum by (job) (rate(${METRIC}[5m]))`, ...FIRST_DAY },
  'one service, all metrics, an hour': {
    expr: 'count({job="service-3"})',
    fromMs: START_MS + 12 * HOUR_MS,
    toMs: START_MS + 13 * HOUR_MS,
    stepMs: 300_000,
  },
  'one service, ten days': { expr: `sum(rate(${METRIC}{job="service-3"}[6h]))`, ...LONG },
  'all services, ten days': { expr: `sum by (job) (rate(${METRIC}[6h]))`, ...LONG },
};

/** Simulates the three sizes and compares them. */
export async function measureGrowth(log: (line: string) => void = () => {}): Promise<GrowthReport> {
  const sizes: SizeFigures[] = [];
  for (const [name, size] of [
    ['base', BASE],
    [`${FACTOR} x series`, { ...BASE, services: BASE.services * FACTOR }],
    [`${FACTOR} x time`, { ...BASE, days: BASE.days * FACTOR }],
  ] as const) {
    log(`simulating ${name}: ${size.services * METRICS * INSTANCES} series, ${size.days} days`);
    sizes.push(await measureSize(name, size));
  }
  const [base, series, time] = sizes as [SizeFigures, SizeFigures, SizeFigures];
  return { sizes, bars: [...growthBars(base, series), ...growthBars(base, time), ...shareBars(base, series), ...shareBars(base, time)] };
}

async function measureSize(name: string, { services, days }: { services: number; days: number }): Promise<SizeFigures> {
  const simulation = await createSimulation(START_MS);
  const shape = { seriesCount: services * METRICS * INSTANCES, services, metrics: METRICS };
  const endMs = START_MS + days * DAY_MS;
  const samples = await simulateDays(simulation, { ...shape, batch: BATCH, startMs: START_MS, days });
  const recent = await measureQuery(simulation, {
    expr: `sum(rate(${METRIC}{job="service-3"}[5m]))`,
    fromMs: endMs - HOUR_MS,
    toMs: endMs,
    stepMs: 60_000,
  });
  await simulateIdle(simulation, endMs, endMs + SETTLE_MS);
  const { ingest, ...scheduled } = Object.fromEntries(simulation.cpu) as Record<string, WorkDone> & { ingest: WorkDone };
  const storage = Object.values(scheduled).reduce(addWork);
  const queries: Record<string, QueryWork> = { 'one service, last hour': recent };
  for (const [query, plan] of Object.entries(plans)) queries[query] = await measureQuery(simulation, plan);
  const storedBytes = [...simulation.blobs.stored.values()].reduce((sum, { body }) => sum + body.length, 0);
  return { name, services, days, samples, ingest, storage, storedBytes, queries };
}

/** A query on an instance that has nothing cached, several times over. Its objects and calls are the same each time. */
async function measureQuery(simulation: Simulation, { expr, fromMs, toMs, stepMs }: QueryPlan): Promise<QueryWork> {
  const limits = { maxSeries: 500_000, maxSamples: 50_000_000, maxBytes: 4 * 2 ** 30, timeoutMs: 120_000 };
  const runs: QueryWork[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { source, now } = simulation.fresh(CACHE_BYTES);
    const input = { tenant: 'default', expr: parseExpr(expr), startMs: fromMs, endMs: toMs, stepMs, lookbackMs: 300_000, limits, now };
    const { result, work } = await measureWork(simulation, () => evaluateQuery({ source }, input));
    runs.push({ ...work, objects: result.read.objects, samples: result.read.samples, tiers: result.tiers.join() });
  }
  const bySeconds = runs.sort((a, b) => a.seconds - b.seconds);
  return bySeconds[RUNS >> 1] as QueryWork;
}

function growthBars(base: SizeFigures, grown: SizeFigures): Bar[] {
  const of = (what: string, measure: (size: SizeFigures) => number) =>
    makeBar(`${grown.name}: ${what}`, GROWTH_BAR, measure(grown) / measure(base));
  return [
    of('ingest CPU', ({ ingest }) => ingest.seconds),
    of('ingest requests', ({ ingest }) => ingest.requests),
    of('storage CPU', ({ storage }) => storage.seconds),
    of('storage requests', ({ storage }) => storage.requests),
    of('storage bytes moved', ({ storage }) => storage.bytes),
    of('bytes kept', ({ storedBytes }) => storedBytes),
  ];
}

/** One service has as much data in each size; ten times the days are asked for only by the queries over ten days. */
function shareBars(base: SizeFigures, grown: SizeFigures): Bar[] {
  const queries = Object.keys(base.queries).filter((name) => name.startsWith('one service'));
  return queries.map((query) => {
    const own = query.endsWith('ten days') ? grown.days / base.days : 1;
    const bytes = (size: SizeFigures) => (size.queries[query] as QueryWork).bytes;
    return makeBar(`${grown.name}: bytes of "${query}" by its own share`, SHARE_SLACK, bytes(grown) / bytes(base) / own);
  });
}

function makeBar(what: string, most: number, measured: number): Bar {
  return { what, most, measured, holds: measured <= most };
}

function printWork(name: string, works: readonly WorkDone[], rest: (work: WorkDone) => string = () => ''): void {
  console.log(`\n${name}`);
  for (const work of works) {
    console.log(
      `  ${work.seconds.toFixed(3).padStart(9)} CPU-s ${String(work.requests).padStart(8)} requests ${(work.bytes / 1e6).toFixed(3).padStart(10)} MB${rest(work)}`,
    );
  }
}

if (import.meta.main) {
  const { sizes, bars } = await measureGrowth(console.log);
  console.log(`\neach: ${sizes.map(({ name, samples }) => `${name} (${samples} samples)`).join(', ')}`);
  printWork(
    'ingest',
    sizes.map(({ ingest }) => ingest),
  );
  printWork(
    'storage',
    sizes.map(({ storage }) => storage),
  );
  for (const query of Object.keys(sizes[0].queries)) {
    printWork(
      query,
      sizes.map(({ queries }) => queries[query]),
      (work) => {
        const { objects, samples, tiers } = work as QueryWork;
        return ` ${String(objects).padStart(5)} objects ${String(samples).padStart(9)} samples (${tiers})`;
      },
    );
  }
  console.log(`\nkept: ${sizes.map(({ storedBytes, samples }) => `${(storedBytes / samples).toFixed(2)} B a sample`).join(', ')}`);
  for (const { what, most, measured, holds } of bars) {
    console.log(`${holds ? 'holds ' : 'MISSED'} ${what}: ${measured.toFixed(2)} (at most ${most})`);
  }
}
