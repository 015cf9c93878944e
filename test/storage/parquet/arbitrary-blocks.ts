import fc from 'fast-check';
import { compareSeries, seriesFromLabels } from '#model/series.ts';
import type { AggregateSeries, RawSeries } from '#ports/sample-source.ts';

/** Any double: every bit pattern class, decimals with few digits, and whole numbers up to 2^53 and beyond. */
export const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    5e-324,
    -2.2e-308,
    Number.MAX_VALUE,
    2 ** 53,
    -(2 ** 53),
    2 ** 53 - 1,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 22 })).map(([mantissa, exponent]) => mantissa / 10 ** exponent),
);

const anyTs = fc.oneof(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }), fc.maxSafeInteger());

const sample = fc.record({
  ts: anyTs,
  value: anyDouble,
  stale: fc.boolean(),
  delta: fc.boolean(),
  startTs: fc.oneof(fc.constant(Number.NaN), anyTs),
});

const points = fc.uniqueArray(sample, { selector: (point) => point.ts, maxLength: 60 });

const someSeries = fc
  .record({
    metric: fc.constantFrom('', 'up', 'http_requests_total', 'größe', '\u{1F600}', '\uffff'),
    instance: fc.string({ unit: 'grapheme', maxLength: 6 }),
  })
  .map(({ metric, instance }) =>
    seriesFromLabels([
      { name: '__name__', value: metric },
      { name: 'instance', value: instance },
    ]),
  );

/** Sorted input of a block: distinct series, each with samples in time order and, now and then, without one of the optional columns. */
export const anyBlock = fc
  .uniqueArray(fc.tuple(someSeries, points, fc.boolean(), fc.boolean(), fc.boolean()), {
    selector: ([{ metric, json }]) => `${metric}\u0000${json}`,
    maxLength: 12,
  })
  .map((entries) =>
    entries
      .map(([series, unsorted, withStale, withDelta, withStart]): RawSeries => {
        const sorted = unsorted.toSorted((a, b) => a.ts - b.ts);
        return {
          series,
          samples: {
            ts: Float64Array.from(sorted, (p) => p.ts),
            value: Float64Array.from(sorted, (p) => (withStale && p.stale ? Number.NaN : p.value)),
            stale: withStale ? Uint8Array.from(sorted, (p) => (p.stale ? 1 : 0)) : undefined,
            delta: withDelta ? Uint8Array.from(sorted, (p) => (p.delta ? 1 : 0)) : undefined,
            startTs: withStart ? Float64Array.from(sorted, (p) => p.startTs) : undefined,
          },
        };
      })
      .sort((a, b) => compareSeries(a.series, b.series)),
  );

/** One line per sample with the value's bits, for comparing what went in with what came out. */
export function flatten(input: readonly RawSeries[]): string[] {
  const lines: string[] = [];
  for (const { series, samples } of input) {
    samples.ts.forEach((ts, i) => {
      const stale = samples.stale?.[i] === 1;
      const start = samples.startTs?.[i] ?? Number.NaN;
      lines.push([series.metric, series.json, ts, stale ? 'stale' : bitsOf(samples.value[i]), samples.delta?.[i] ?? 0, start].join(' | '));
    });
  }
  return lines;
}

/** The bits of a double in hexadecimal; every NaN is one. */
export function bitsOf(value: number): string {
  return new BigUint64Array(Float64Array.of(Number.isNaN(value) ? Number.NaN : value).buffer)[0].toString(16);
}

const aggregateRow = fc.record({
  ts: anyTs,
  count: fc.oneof(fc.constant(20), fc.maxSafeNat()),
  doubles: fc.tuple(anyDouble, anyDouble, fc.constantFrom(0, 1.5, 3), anyDouble, fc.constant(7), anyDouble),
  firstTs: anyTs,
  lastTs: anyTs,
  delta: fc.integer({ min: 0, max: 1 }),
});

/** Sorted input of an aggregate block. */
export const anyAggregateBlock = fc
  .uniqueArray(fc.tuple(someSeries, fc.uniqueArray(aggregateRow, { selector: ({ ts }) => ts, maxLength: 40 }), fc.boolean()), {
    selector: ([{ metric, json }]) => `${metric}\u0000${json}`,
    maxLength: 12,
  })
  .map((entries) =>
    entries
      .map(([series, unsorted, withDelta]): AggregateSeries => {
        const rows = unsorted.toSorted((a, b) => a.ts - b.ts);
        const double = (k: number) => Float64Array.from(rows, ({ doubles }) => doubles[k]);
        return {
          series,
          aggregates: {
            ts: Float64Array.from(rows, ({ ts }) => ts),
            count: Float64Array.from(rows, ({ count }) => count),
            sum: double(0),
            min: double(1),
            max: double(2),
            first: double(3),
            last: double(4),
            increase: double(5),
            firstTs: Float64Array.from(rows, ({ firstTs }) => firstTs),
            lastTs: Float64Array.from(rows, ({ lastTs }) => lastTs),
            delta: withDelta ? Uint8Array.from(rows, ({ delta }) => delta) : undefined,
          },
        };
      })
      .sort((a, b) => compareSeries(a.series, b.series)),
  );

/** One line per aggregate row. */
export function flattenAggregates(input: readonly AggregateSeries[]): string[] {
  return input.flatMap(({ series, aggregates: a }) =>
    Array.from(a.ts, (ts, i) => {
      const bits = [a.sum, a.min, a.max, a.first, a.last, a.increase].map((column) => bitsOf(column[i]));
      return [series.metric, series.json, ts, a.count[i], ...bits, a.firstTs[i], a.lastTs[i], a.delta?.[i] ?? 0].join(' | ');
    }),
  );
}
