import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seriesFromLabels } from '#model/series.ts';
import type { AggregateSeries } from '#ports/sample-source.ts';
import { decodeAggregates, encodeAggregateBlock } from '#storage/aggregate-block.ts';
import { decodeSamples, encodeMetricsBlock } from '#storage/metrics-block.ts';
import type { BlockOptions } from '#storage/parquet/block-writer.ts';
import { planRowGroups, type RowGroupSelection } from '#storage/parquet/plan.ts';
import { readFooter } from '#storage/parquet/read-footer.ts';
import { anyAggregateBlock, flattenAggregates } from './parquet/arbitrary-blocks.ts';

function decodeBlock(bytes: Uint8Array, selection?: RowGroupSelection): AggregateSeries[] {
  const footer = readFooter(bytes);
  return planRowGroups(footer, {}).flatMap(({ rowGroup, start, end }) =>
    decodeAggregates(footer, rowGroup, bytes.subarray(start, end), selection),
  );
}

const layouts: Record<string, BlockOptions> = {
  'by default': {},
  'with tiny row groups and pages': { groupRows: 5, maxGroupRows: 20, pageRows: 7 },
};

/** A series of `rows` rows with a column of few distinct values and one of many. */
function smallSeries(instance: string, rows: number): AggregateSeries {
  const column = (of: (i: number) => number) => Float64Array.from({ length: rows }, (_, i) => of(i));
  return {
    series: seriesFromLabels([
      { name: '__name__', value: 'up' },
      { name: 'instance', value: instance },
    ]),
    aggregates: {
      ts: column((i) => i * 300_000),
      count: column(() => 20),
      sum: column(Math.sqrt),
      min: column((i) => (i * i) % 5),
      max: column((i) => (i * i) % 7),
      first: column(() => 0.1),
      last: column(Math.sin),
      increase: column(() => 0),
      firstTs: column((i) => i * 300_000 + 17),
      lastTs: column((i) => i * 300_000 + 299_983),
    },
  };
}

describe('an aggregate block', () => {
  for (const [name, options] of Object.entries(layouts)) {
    it(`gives back bit-equal rows ${name}`, () => {
      fc.assert(
        fc.property(anyAggregateBlock, (input) => {
          expect(flattenAggregates(decodeBlock(encodeAggregateBlock(input, options).bytes))).toEqual(flattenAggregates(input));
        }),
        { numRuns: 200 },
      );
    });
  }

  it('stores a column of few distinct values as a dictionary and gives it back', () => {
    const input = [smallSeries('a', 2_000), smallSeries('b', 3_000)];
    const { bytes } = encodeAggregateBlock(input, { pageRows: 1_000 });
    expect(flattenAggregates(decodeBlock(bytes))).toEqual(flattenAggregates(input));
  });

  it('gives only the series and intervals that are selected', () => {
    const { bytes } = encodeAggregateBlock([smallSeries('a', 50), smallSeries('b', 50)], { pageRows: 20 });
    const b = smallSeries('b', 50).series;
    const found = decodeBlock(bytes, {
      resolveSeries: (_metric, json) => (json === b.json ? b : undefined),
      minTs: 10 * 300_000,
      maxTs: 12 * 300_000,
    });
    expect(found.map(({ series }) => series)).toEqual([b]);
    expect([...found[0].aggregates.ts]).toEqual([10, 11, 12].map((i) => i * 300_000));
    expect([...found[0].aggregates.last]).toEqual([10, 11, 12].map(Math.sin));
  });

  it('is refused where raw samples are wanted, and the other way round', () => {
    const aggregates = encodeAggregateBlock([smallSeries('a', 3)]).bytes;
    const samples = encodeMetricsBlock([
      { series: smallSeries('a', 0).series, samples: { ts: Float64Array.of(1), value: Float64Array.of(1) } },
    ]).bytes;
    expect(() => decodeSamples(readFooter(aggregates), 0, aggregates)).toThrow('a block of aggregates where raw samples are wanted');
    expect(() => decodeAggregates(readFooter(samples), 0, samples)).toThrow('a block of samples where aggregates are wanted');
  });
});
