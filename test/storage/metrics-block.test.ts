import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSeries, type Series, seriesFromLabels } from '#model/series.ts';
import type { RawSeries } from '#ports/sample-source.ts';
import { decodeSamples, encodeMetricsBlock, metricsBlockSteps } from '#storage/metrics-block.ts';
import type { BlockOptions } from '#storage/parquet/block-writer.ts';
import { decodeSeries } from '#storage/parquet/decode-series.ts';
import { labelPair } from '#storage/parquet/label-filter.ts';
import { planRowGroups, planSeries, type RowGroupSelection } from '#storage/parquet/plan.ts';
import { readFooter } from '#storage/parquet/read-footer.ts';
import { anyBlock, flatten } from './parquet/arbitrary-blocks.ts';

function decodeBlock(bytes: Uint8Array, selection?: RowGroupSelection): RawSeries[] {
  const footer = readFooter(bytes);
  return planRowGroups(footer, {}).flatMap(({ rowGroup, start, end }) =>
    decodeSamples(footer, rowGroup, bytes.subarray(start, end), selection),
  );
}

function named(metric: string, instance: string): Series {
  return seriesFromLabels([
    { name: '__name__', value: metric },
    { name: 'instance', value: instance },
  ]);
}

/** Series of ten samples each, one every 100 ms from time 0 on; the value is metric number, instance number and sample number. */
function grid(metrics: readonly string[], instances: readonly string[]): RawSeries[] {
  return metrics.flatMap((metric, m) =>
    instances.map((instance, k) => ({
      series: named(metric, instance),
      samples: {
        ts: Float64Array.from({ length: 10 }, (_, i) => i * 100),
        value: Float64Array.from({ length: 10 }, (_, i) => m * 100 + k * 10 + i + (i % 2 === 0 ? 0.25 : Math.SQRT1_2)),
      },
    })),
  );
}

const layouts: Record<string, BlockOptions> = {
  'by default': {},
  'with tiny row groups and pages': { groupRows: 5, maxGroupRows: 20, pageRows: 7 },
  'with one row per page': { pageRows: 1 },
};

describe('a metrics block', () => {
  for (const [name, options] of Object.entries(layouts)) {
    it(`gives back bit-equal samples ${name}`, () => {
      fc.assert(
        fc.property(anyBlock, (input) => {
          expect(flatten(decodeBlock(encodeMetricsBlock(input, options).bytes))).toEqual(flatten(input));
        }),
        { numRuns: 300 },
      );
    });

    it(`gives back the samples of a time range only ${name}`, () => {
      fc.assert(
        fc.property(anyBlock, fc.maxSafeInteger(), fc.maxSafeInteger(), (input, a, b) => {
          const [minTs, maxTs] = [Math.min(a, b), Math.max(a, b)];
          const kept = flatten(input).filter((line) => {
            const ts = Number(line.split(' | ').at(-4));
            return ts >= minTs && ts <= maxTs;
          });
          expect(flatten(decodeBlock(encodeMetricsBlock(input, options).bytes, { minTs, maxTs }))).toEqual(kept);
        }),
      );
    });

    it(`gives back the series that are asked for only ${name}`, () => {
      fc.assert(
        fc.property(anyBlock, fc.nat({ max: 5 }), (input, n) => {
          const wanted = input.filter((_, i) => (i * 7 + n) % 3 === 0);
          const resolveSeries = (metric: string, json: string) =>
            wanted.find(({ series }) => series.metric === metric && series.json === json)?.series;
          expect(flatten(decodeBlock(encodeMetricsBlock(input, options).bytes, { resolveSeries }))).toEqual(flatten(wanted));
        }),
      );
    });
  }

  it('says what it holds', () => {
    const { bytes, footerBytes, ...about } = encodeMetricsBlock(grid(['a', 'b'], ['x', 'y', 'z']), { metadata: { origin: 'test' } });
    expect(about).toEqual({ rows: 60, seriesCount: 6, minTs: 0, maxTs: 900 });
    const footer = readFooter(bytes.subarray(-footerBytes));
    expect(footer.rows).toBe(60);
    expect(Object.fromEntries(footer.metadata)).toEqual({
      'quarterdeck.schema': 'samples/1',
      'quarterdeck.labels': expect.stringMatching(/^[A-Za-z0-9+/=]+$/),
      origin: 'test',
    });
  });

  it('is the same bytes for the same input, in steps or at once', () => {
    const input = grid(['a', 'b', 'c'], ['x', 'y']);
    const steps = metricsBlockSteps(input, { groupRows: 1 });
    let taken = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) taken++;
    expect(taken).toBe(2);
    expect(step.value).toEqual(encodeMetricsBlock(input, { groupRows: 1 }));
  });

  it('may be empty, or hold series without samples, which it leaves out', () => {
    const none = { series: named('a', 'x'), samples: { ts: new Float64Array(0), value: new Float64Array(0) } };
    const block = encodeMetricsBlock([none]);
    expect(block).toMatchObject({ rows: 0, seriesCount: 0, minTs: Number.POSITIVE_INFINITY, maxTs: Number.NEGATIVE_INFINITY });
    expect(decodeBlock(block.bytes)).toEqual([]);
  });

  it('leaves stale, delta and start times absent from series that have none', () => {
    const [a, b] = grid(['a'], ['x', 'y']) as [RawSeries, RawSeries];
    const marked = { ...a, samples: { ...a.samples, stale: new Uint8Array(10).fill(1, 3, 4), delta: new Uint8Array(10).fill(1) } };
    const [first, second] = decodeBlock(encodeMetricsBlock([marked, b]).bytes);
    expect(first.samples.stale).toEqual(marked.samples.stale);
    expect(first.samples.delta).toEqual(marked.samples.delta);
    expect(second.samples).toEqual({ ...b.samples, stale: undefined, delta: undefined, startTs: undefined });
  });

  it('keeps series of the same labels under two metrics apart', () => {
    const found = decodeBlock(encodeMetricsBlock(grid(['a', 'b'], ['x'])).bytes);
    expect(found.map(({ series }) => series.metric)).toEqual(['a', 'b']);
  });
});

it('begins a row group before the labels of one become too many to read back', () => {
  const input = [...Array(30).keys()].map((i) => ({
    series: named('a', `${String(i).padStart(2, '0')}${'x'.repeat(1_000_000)}`),
    samples: { ts: Float64Array.of(i), value: Float64Array.of(i) },
  }));
  const { bytes } = encodeMetricsBlock(input);
  expect(readFooter(bytes).rowGroups.map(({ rows }) => rows)).toEqual([8, 8, 8, 6]);
  expect(decodeBlock(bytes).map(({ series }) => series.json)).toEqual(input.map(({ series }) => series.json));
});

describe('planning a read', () => {
  const block = encodeMetricsBlock(grid(['a', 'b', 'c', 'd'], ['x', 'y']), { groupRows: 40 });
  const footer = readFooter(block.bytes);

  it('puts whole metrics into row groups that lie next to each other', () => {
    expect(footer.rowGroups.map(({ minMetric, maxMetric, rows }) => [minMetric, maxMetric, rows])).toEqual([
      ['a', 'b', 40],
      ['c', 'd', 40],
    ]);
    expect(footer.rowGroups[0].end).toBe(footer.rowGroups[1].start);
  });

  const cases: [name: string, wants: Parameters<typeof planRowGroups>[1], expected: number[]][] = [
    ['takes everything where nothing is said', {}, [0, 1]],
    ['takes the row groups whose metrics enclose one of the names', { metrics: ['b', 'bb'] }, [0]],
    ['takes none for a name between two row groups', { metrics: ['bb'] }, []],
    ['takes none for no name', { metrics: [] }, []],
    ['takes those that touch the time range', { minTs: 900, maxTs: 5_000 }, [0, 1]],
    ['takes none before its first time', { maxTs: -1 }, []],
    ['takes none after its last time', { minTs: 901 }, []],
  ];
  for (const [name, wants, expected] of cases) {
    it(name, () => {
      expect(planRowGroups(footer, wants).map(({ rowGroup }) => rowGroup)).toEqual(expected);
    });
  }

  it('takes the row groups that can have series with all of the labels', () => {
    const split = readFooter(encodeMetricsBlock(grid(['a'], ['u', 'v', 'w', 'x', 'y', 'z']), { maxGroupRows: 20 }).bytes);
    const planned = (...values: string[]) =>
      planRowGroups(split, { labels: values.map((value) => labelPair('instance', value)) }).map(({ rowGroup }) => rowGroup);
    expect(planned()).toEqual([0, 1, 2]);
    expect([planned('u'), planned('x'), planned('y')]).toEqual([[0], [1], [2]]);
    expect(planned('u', 'z')).toEqual([]);
    expect(planRowGroups(split, { labels: [labelPair('nothing', 'u')] })).toEqual([]);
  });

  it('takes every row group of a block that says nothing of labels, and refuses one that says it of others', () => {
    const labels = [labelPair('instance', 'nobody')];
    const saying = (text: string) =>
      readFooter(encodeMetricsBlock(grid(['a'], ['x', 'y']), { maxGroupRows: 10, metadata: { 'quarterdeck.labels': text } }).bytes);
    expect(planRowGroups(saying(','), { labels })).toHaveLength(2);
    const older = { ...footer, rowGroups: footer.rowGroups.map((group) => ({ ...group, labels: undefined })) };
    expect(planRowGroups(older, { labels })).toHaveLength(2);
    expect(() => saying('')).toThrow('label filters of 1 row groups where there are 2');
  });

  it('never leaves a wanted series out, whatever its labels', () => {
    const label = fc.record({
      name: fc.constantFrom('job', 'zone', 'ü'),
      value: fc.constantFrom('a', 'b', 'c', 'ü', 'x,y', '=', '\0'),
    });
    const labelSets = fc.array(fc.uniqueArray(label, { selector: ({ name }) => name, maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(labelSets, (sets) => {
        const bySeries = new Map(
          sets.map((labels) => {
            const series = seriesFromLabels([{ name: '__name__', value: 'a' }, ...labels]);
            return [series.json, { series, samples: { ts: Float64Array.of(1), value: Float64Array.of(1) } }];
          }),
        );
        const input = [...bySeries.values()].sort((a, b) => compareSeries(a.series, b.series));
        const { bytes } = encodeMetricsBlock(input, { maxGroupRows: 2 });
        const whole = readFooter(bytes);
        const groupOf = new Map(
          planSeries(whole, {}).flatMap(({ rowGroup, start, end }) =>
            decodeSeries(whole, rowGroup, bytes.subarray(start, end)).map(({ json }) => [json, rowGroup] as const),
          ),
        );
        for (const { series } of input) {
          const labels = series.labels.map(({ name, value }) => labelPair(name, value));
          expect(planRowGroups(whole, { labels }).map(({ rowGroup }) => rowGroup)).toContain(groupOf.get(series.json));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('reads the series alone from a part of the bytes', () => {
    const planned = planSeries(footer, { metrics: ['c'] });
    const [{ rowGroup, start, end }] = planned;
    const found = decodeSeries(footer, rowGroup, block.bytes.subarray(start, end));
    expect(found.map(({ metric, json }) => metric + json)).toEqual(
      ['c', 'd'].flatMap((m) => ['x', 'y'].map((i) => `${m}{"instance":"${i}"}`)),
    );
    expect(end - start).toBeLessThan(footer.rowGroups[1].end - footer.rowGroups[1].start);
  });

  it('does not touch pages of values that hold no wanted row', () => {
    const { bytes } = encodeMetricsBlock(grid(['a'], ['x', 'y', 'z']), { pageRows: 5 });
    const whole = readFooter(bytes);
    const { start, columns } = whole.rowGroups[0];
    const damaged = bytes.slice(start, whole.rowGroups[0].end);
    damaged.fill(0xee, columns[3].end - start - 20, columns[3].end - start); // in the last page of mantissas
    const wanted = named('a', 'x');
    const resolveSeries = (_metric: string, json: string) => (json === wanted.json ? wanted : undefined);
    expect(decodeSamples(whole, 0, damaged, { resolveSeries })).toHaveLength(1);
    expect(() => decodeSamples(whole, 0, damaged)).toThrow('a page that does not decompress');
  });
});
