// What the catalog costs by requests a second: node bench/catalog.ts
// 119 minutes of one tenant are simulated, up to the minute before the two-hour compaction, so that most is there that a query of the
// current day meets: segments that wait, and blocks that name thousands of inputs.
import { evaluateQuery } from '#query/evaluate.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { createSimulation, simulateDays } from './simulation.ts';

const START_MS = Date.parse('2026-03-02T00:00:00Z');
const MINUTES = 119;
const SCRAPE_S = 15;
const LIMITS = { maxSeries: 500_000, maxSamples: 50_000_000, maxBytes: 4 * 2 ** 30, timeoutMs: 120_000 };

for (const { perSecond, batch } of [
  { perSecond: 1, batch: 100 },
  { perSecond: 3, batch: 100 },
  { perSecond: 1, batch: 500 },
]) {
  const simulation = await createSimulation(START_MS);
  const seriesCount = perSecond * batch * SCRAPE_S;
  const sent = await simulateDays(simulation, { seriesCount, batch, startMs: START_MS, days: MINUTES / 1_440 });
  const requests = sent / batch;
  const { writeUnits, readUnits } = simulation.counts();
  const { source, now } = simulation.fresh(0);
  const expr = parseExpr('app_metric_0_total{job="service-3"}');
  const times = { startMs: now(), endMs: now(), stepMs: 0, lookbackMs: 300_000 };
  await evaluateQuery({ source }, { tenant: 'default', expr, ...times, limits: LIMITS, now });
  const after = simulation.counts();
  const compaction = simulation.cpu.get('storage-compact');
  console.log(`${perSecond} requests of ${batch} samples a second, ${requests} in all`);
  console.log(`  written: ${(writeUnits / requests).toFixed(2)} write units a request, removal included`);
  console.log(`  read by functions: ${(readUnits / MINUTES).toFixed(0)} read units a minute`);
  console.log(`  an instant query: ${after.readUnits - readUnits} read units`);
  console.log(`  compaction: ${((compaction?.seconds ?? 0) / MINUTES).toFixed(2)} CPU-s a minute`);
}
