// Bytes per sample and CPU of metric blocks on the benchmark kit's data: node bench/parquet.ts
// The kit is found through BENCH_KIT (default: ../shared/bench beside the project).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { compareSeries, seriesFromLabels } from '#model/series.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import { decodeSamples, encodeMetricsBlock } from '#storage/metrics-block.ts';
import type { BlockOptions } from '#storage/parquet/block-writer.ts';
import { planRowGroups } from '#storage/parquet/plan.ts';
import { type BlockFooter, readFooter } from '#storage/parquet/read-footer.ts';

const kit = process.env.BENCH_KIT ?? resolve(import.meta.dirname, '..', '..', 'shared', 'bench');

/** Series of JSON lines; `null` is a stale marker in the generated data and NaN in the real. */
function readJsonLines(text: string, nullIs: 'stale' | 'nan'): RawSeries[] {
  const byKey = new Map<string, { series: RawSeries['series']; points: Map<number, number | null> }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { metric, values, timestamps } = JSON.parse(line) as {
      metric: Record<string, string>;
      values: (number | null)[];
      timestamps: number[];
    };
    const series = seriesFromLabels(Object.entries(metric).map(([name, value]) => ({ name, value })));
    const key = `${series.metric} ${series.json}`;
    const known = byKey.get(key) ?? { series, points: new Map() };
    byKey.set(key, known);
    for (let i = 0; i < values.length; i++) known.points.set(timestamps[i], values[i]);
  }
  return [...byKey.values()]
    .map(({ series, points }) => {
      const sorted = [...points].sort((a, b) => a[0] - b[0]);
      const value = Float64Array.from(sorted, ([, v]) => (v === null ? Number.NaN : v));
      const stale =
        nullIs === 'stale' && sorted.some(([, v]) => v === null) ? Uint8Array.from(sorted, ([, v]) => (v === null ? 1 : 0)) : undefined;
      return { series, samples: { ts: Float64Array.from(sorted, ([t]) => t), value, stale } };
    })
    .sort((a, b) => compareSeries(a.series, b.series));
}

function cpuSeconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The median CPU seconds of five runs after one to warm up, per 1 M. */
function perMillion(samples: number, run: () => void): string {
  run();
  const times = Array.from({ length: 5 }, () => cpuSeconds(run)).sort((a, b) => a - b);
  return (((times[2] as number) * 1e6) / samples).toFixed(3);
}

function decodeAll(footer: BlockFooter, bytes: Uint8Array): number {
  let samples = 0;
  for (const { rowGroup, start, end } of planRowGroups(footer, {})) {
    for (const part of decodeSamples(footer, rowGroup, bytes.subarray(start, end))) samples += part.samples.ts.length;
  }
  return samples;
}

function report(name: string, input: RawSeries[], options: BlockOptions): void {
  let block = encodeMetricsBlock(input, options);
  const footer = readFooter(block.bytes.subarray(-block.footerBytes));
  const encode = perMillion(block.rows, () => {
    block = encodeMetricsBlock(input, options);
  });
  const decode = perMillion(block.rows, () => {
    if (decodeAll(footer, block.bytes) !== block.rows) throw new Error('samples were lost');
  });
  const perSample = (bytes: number) => (bytes / block.rows).toFixed(4);
  console.log(`${name}: ${block.seriesCount} series, ${block.rows} samples, ${footer.rowGroups.length} row groups`);
  console.log(`  ${perSample(block.bytes.length)} bytes per sample, encode ${encode} and decode ${decode} CPU-s per 1 M`);
  const names = ['metric', 'labels', 'ts', 'mantissa', 'exponent', 'value', 'start_ts', 'delta'];
  const columns = names.map(
    (column, i) => `${column} ${perSample(footer.rowGroups.reduce((sum, g) => sum + g.columns[i].end - g.columns[i].start, 0))}`,
  );
  console.log(`  of these ${columns.join(', ')}, footer ${perSample(block.footerBytes)}`);
}

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-'));
try {
  const generated = join(folder, 'generated.jsonl');
  execFileSync(process.execPath, [join(kit, 'gen.mjs'), '--series', '2000', '--hours', '6', '--jitter', '200', '--out-jsonl', generated]);
  report('generated', readJsonLines(readFileSync(generated, 'utf8'), 'stale'), {});
} finally {
  rmSync(folder, { recursive: true });
}
report('real scrape', readJsonLines(gunzipSync(readFileSync(join(kit, 'real-node.jsonl.gz'))).toString('utf8'), 'nan'), {});
