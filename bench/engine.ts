// Milliseconds of the query engine alone, on the benchmark kit's queries over its generated data in memory: node bench/engine.ts
// The kit is found through BENCH_KIT (default: ../shared/bench beside the project); BENCH_DATA names data already made (JSON lines).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SampleColumns } from '#model/samples.ts';
import { type Series, seriesFromLabels, seriesKey } from '#model/series.ts';
import { createMemorySource, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import { evaluateQuery } from '#query/evaluate.ts';
import { parseExpr } from '#query/promql/parse.ts';
import type { QueryResult } from '#query/query-result.ts';

interface KitQuery {
  readonly name: string;
  readonly window?: string;
  readonly step?: number;
  readonly query: string;
}

const kit = process.env.BENCH_KIT ?? resolve(import.meta.dirname, '..', '..', 'shared', 'bench');

function generate(): string {
  if (process.env.BENCH_DATA) return readFileSync(process.env.BENCH_DATA, 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'));
  try {
    execFileSync(process.execPath, [join(kit, 'gen.mjs'), '--out-jsonl', join(folder, 'data.jsonl')], { stdio: 'ignore' });
    return readFileSync(join(folder, 'data.jsonl'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Fills a source from JSON lines, a `null` being a stale marker; returns the time of the last sample. */
function load(source: MemorySource, text: string): number {
  const all = new Map<string, { series: Series; points: [number, number | null][] }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { metric, values, timestamps } = JSON.parse(line) as {
      metric: Record<string, string>;
      values: (number | null)[];
      timestamps: number[];
    };
    const series = seriesFromLabels(Object.entries(metric).map(([name, value]) => ({ name, value })));
    const entry = all.get(seriesKey(series)) ?? { series, points: [] };
    all.set(seriesKey(series), entry);
    for (let i = 0; i < values.length; i++) entry.points.push([timestamps[i] as number, values[i] as number | null]);
  }
  let lastMs = 0;
  for (const { series, points } of all.values()) {
    const columns = toColumns(points.sort((a, b) => a[0] - b[0]));
    lastMs = Math.max(lastMs, columns.ts.at(-1) as number);
    source.appendColumns(series, columns);
  }
  return lastMs;
}

function toColumns(points: readonly [number, number | null][]): SampleColumns {
  const ts = Float64Array.from(points, ([time]) => time);
  const value = Float64Array.from(points, ([, v]) => v ?? Number.NaN);
  return points.some(([, v]) => v === null)
    ? { ts, value, stale: Uint8Array.from(points, ([, v]) => (v === null ? 1 : 0)) }
    : { ts, value };
}

async function run(source: MemorySource, { query, window, step }: KitQuery, lastMs: number): Promise<QueryResult> {
  const endMs = (Math.floor((lastMs / 1000 - 7) / 60) * 60 + 7) * 1000;
  const startMs = window === undefined ? endMs : endMs - Number.parseInt(window, 10) * 3_600_000;
  const limits = { maxSeries: 1e6, maxSamples: 5e7, maxBytes: 1e12, timeoutMs: 120_000 };
  const times = { startMs, endMs, stepMs: (step ?? 0) * 1000 };
  return evaluateQuery(
    { source },
    { tenant: 'bench', expr: parseExpr(query), query, ...times, lookbackMs: 300_000, limits, now: Date.now },
  );
}

function countPoints(result: QueryResult): number {
  return result.type === 'matrix'
    ? result.series.reduce((sum, { count }) => sum + count, 0)
    : result.type === 'vector'
      ? result.series.length
      : 1;
}

const source = createMemorySource();
const lastMs = load(source, generate());
const runs = Number(process.env.BENCH_RUNS ?? 15);
for (const query of JSON.parse(readFileSync(join(kit, 'queries.json'), 'utf8')) as KitQuery[]) {
  const first = performance.now();
  const result = await run(source, query, lastMs);
  const cold = performance.now() - first;
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run(source, query, lastMs);
    times.push(performance.now() - start);
  }
  const p50 = times.sort((a, b) => a - b)[Math.floor(runs / 2)] as number;
  console.log(
    `${query.name.padEnd(20)} p50 ${p50.toFixed(1).padStart(7)} ms   first ${cold.toFixed(1).padStart(7)} ms   ${countPoints(result)} points`,
  );
}
