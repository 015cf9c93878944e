import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seriesFromLabels, seriesKey } from '#model/series.ts';
import { createMemorySource, type MemorySample, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import { evaluateQuery } from '#query/evaluate.ts';
import { parseExpr } from '#query/promql/parse.ts';

const rangeFunctions = [
  'absent_over_time',
  'avg_over_time',
  'changes',
  'count_over_time',
  'delta',
  'deriv',
  'first_over_time',
  'idelta',
  'increase',
  'irate',
  'last_over_time',
  'mad_over_time',
  'max_over_time',
  'min_over_time',
  'present_over_time',
  'rate',
  'resets',
  'stddev_over_time',
  'stdvar_over_time',
  'sum_over_time',
  'ts_of_first_over_time',
  'ts_of_last_over_time',
  'ts_of_max_over_time',
  'ts_of_min_over_time',
];

const expressions = [
  ...rangeFunctions.flatMap((func) => [`${func}(m[2m])`, `${func}(m[7m] offset 1m)`, `${func}(m[5m:45s])`]),
  'quantile_over_time(0.3, m[4m])',
  'quantile_over_time(scalar(vector(time() % 3 / 2)), m[20m])',
  'predict_linear(m[5m], 60)',
  'double_exponential_smoothing(m[5m], 0.4, 0.6)',
  'rate(m[2m] anchored)',
  'increase(m[3m] smoothed)',
  'delta(m[3m] anchored)',
  'resets(m[3m] anchored)',
  'm smoothed',
  'm',
  'm @ 300 + m',
  'timestamp(m)',
  'start_timestamp(m)',
  'sum by (a) (m)',
  'avg without (a) (m)',
  'min(m) + max(m)',
  'count by (b) (m)',
  'stddev by (a) (m)',
  'quantile by (a) (0.7, m)',
  'topk(2, m)',
  'bottomk by (a) (1, m)',
  'limitk(2, m)',
  'limit_ratio(0.5, m)',
  'count_values("v", m)',
  'm > 3',
  'm > bool 3',
  '3 <= m',
  'm * on (a, b) m',
  'm / on (a) group_left sum by (a) (m)',
  'm + on (a, b) fill(1) (m > 4)',
  'm and m offset 2m',
  'm unless m > 5',
  'm > 5 or m offset 3m',
  'abs(-m) + sgn(m) - round(m, 0.5) + clamp(m, 1, 4)',
  'absent(m)',
  'scalar(m{a="x", b="1"})',
  'label_replace(m, "c", "$1$1", "a", "(.*)")',
  'histogram_quantile(0.5, label_replace(m, "le", "$1", "b", "(.*)"))',
  'info(m)',
  'max_over_time(sum by (a) (rate(m[2m]))[6m:30s])',
  'hour(m * 3600) + minute()',
];

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 2, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1e300) },
);

const samples = fc
  .array(fc.record({ gapMs: fc.integer({ min: 1, max: 90_000 }), value, stale: fc.boolean(), kind: fc.nat(19) }), { maxLength: 40 })
  .map((items) => {
    let ts = 0;
    return items.map(({ gapMs, value: sampled, stale, kind }): MemorySample => {
      ts += gapMs;
      if (kind === 0 && stale) return { ts, value: Number.NaN, stale: true };
      return { ts, value: sampled, ...(kind < 4 && { startTs: ts - gapMs * kind }), ...(kind === 19 && { delta: true }) };
    });
  });

const dataset = fc.record({
  series: fc.array(samples, { minLength: 1, maxLength: 5 }),
  stepMs: fc.constantFrom(1_000, 15_000, 61_000, 600_000),
  startMs: fc.integer({ min: -100_000, max: 1_200_000 }),
});

function fill(series: readonly (readonly MemorySample[])[]): MemorySource {
  const source = createMemorySource();
  series.forEach((columns, index) => {
    const labels = { __name__: 'm', a: index % 2 === 0 ? 'x' : 'y', b: String(index), instance: 'i', job: 'j' };
    if (columns.length > 0) source.append(seriesFromLabels(Object.entries(labels).map(([name, text]) => ({ name, value: text }))), columns);
  });
  return source;
}

const common = {
  tenant: 't',
  lookbackMs: 300_000,
  limits: { maxSeries: 1_000, maxSamples: 1_000_000, maxBytes: 1e9, timeoutMs: 60_000 },
  now: Date.now,
};

/** Points of one time, by series. */
type Snapshot = Map<string, number>;

async function atOnce(source: MemorySource, query: string, timeMs: number): Promise<Snapshot> {
  const result = await evaluateQuery({ source }, { ...common, expr: parseExpr(query), startMs: timeMs, endMs: timeMs, stepMs: 0 });
  if (result.type === 'scalar') return new Map([['', result.value]]);
  if (result.type !== 'vector') throw new Error(`unexpected ${result.type}`);
  return new Map(result.series.map((series, i) => [seriesKey(series), result.values[i] as number]));
}

async function overRange(source: MemorySource, query: string, times: number[], stepMs: number): Promise<Snapshot[]> {
  const [startMs, endMs] = [times[0] as number, times.at(-1) as number];
  const result = await evaluateQuery({ source }, { ...common, expr: parseExpr(query), startMs, endMs, stepMs });
  if (result.type !== 'matrix') throw new Error(`unexpected ${result.type}`);
  const isScalar = query.startsWith('scalar(');
  return times.map((time) => {
    const snapshot: Snapshot = new Map();
    for (const { series, ts, values } of result.series) {
      const at = ts.indexOf(time);
      if (at >= 0) snapshot.set(isScalar ? '' : seriesKey(series), values[at] as number);
    }
    return snapshot;
  });
}

/** The result, or the words of its failure. */
async function attempt<T>(run: () => Promise<T>): Promise<T | string> {
  try {
    return await run();
  } catch (error) {
    if ((error as Error).name === 'OpsError') return (error as Error).message;
    throw error;
  }
}

describe('an instant query at a step of a range query gives what the range query gives there', () => {
  it.each(expressions)('%s', async (query) => {
    await fc.assert(
      fc.asyncProperty(dataset, async ({ series, stepMs, startMs }) => {
        const source = fill(series);
        const times = Array.from({ length: 12 }, (_, i) => startMs + i * stepMs);
        const range = await attempt(() => overRange(source, query, times, stepMs));
        if (typeof range === 'string') return;
        for (const [i, time] of times.entries()) {
          expect(await atOnce(source, query, time), `at ${time}`).toEqual(range[i]);
        }
      }),
      { numRuns: 25 },
    );
  });
});
