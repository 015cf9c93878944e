import type { AggregateSeries } from '#ports/sample-source.ts';
import { addAggregates, createAggregateGroup, putAggregateGroup } from './parquet/aggregate-group.ts';
import { type BlockOptions, blockSteps, type EncodedBlock, finish } from './parquet/block-writer.ts';
import { corruptBlock } from './parquet/corrupt.ts';
import type { RowGroupSelection } from './parquet/plan.ts';
import { readAggregates, readDeltaMarks } from './parquet/read-aggregate-group.ts';
import type { BlockFooter } from './parquet/read-footer.ts';
import { markedPart, openGroup, selectRows } from './parquet/select-rows.ts';

/** A series has few rows in a day, so a metric is far smaller than among raw samples. */
const GROUPS = { groupRows: 16_384, maxGroupRows: 32_768 };

/**
 * Writes aggregates as one Parquet file. `input` is sorted by `compareSeries`, each series once, its rows by `ts`; counts and times
 * are whole numbers within +-2^53; series without rows are left out. Decoding gives bit-equal doubles (every NaN is one NaN). The
 * same input gives the same bytes.
 */
export function encodeAggregateBlock(input: Iterable<AggregateSeries>, options: BlockOptions = {}): EncodedBlock {
  return finish(aggregateBlockSteps(input, options));
}

/** The same in steps of some 10 to 20 ms, for a caller that lets others run in between. */
export function aggregateBlockSteps(input: Iterable<AggregateSeries>, options: BlockOptions = {}): Generator<void, EncodedBlock> {
  const group = createAggregateGroup(1024);
  const builder = {
    seriesOf: (item: AggregateSeries) => item.series,
    tsOf: (item: AggregateSeries) => item.aggregates.ts,
    add: (item: AggregateSeries, from: number, to: number) => addAggregates(group, item.series, item.aggregates, from, to),
    rows: () => group.rows,
    textSize: () => group.series.textSize,
    put: putAggregateGroup.bind(undefined, group),
  };
  return blockSteps('aggregates', input, builder, { ...GROUPS, ...options });
}

/**
 * Decodes the wanted aggregates of a row group, in block order, out of the bytes that `planRowGroups` named for it; the times of a
 * selection are those of the intervals' starts. Arrays are views of shared memory: never write to them. `input` if the bytes are
 * damaged.
 */
export function decodeAggregates(
  footer: BlockFooter,
  rowGroup: number,
  bytes: Uint8Array,
  selection: RowGroupSelection = {},
): AggregateSeries[] {
  if (footer.kind !== 'aggregates') throw corruptBlock(`a block of ${footer.kind} where aggregates are wanted`);
  const open = openGroup(footer, rowGroup, bytes);
  const wanted = selectRows(open, selection);
  if (wanted.count === 0) return [];
  const columns = readAggregates(open, wanted);
  const delta = readDeltaMarks(open, wanted);
  return wanted.runs.map(({ series, from, to, out }) => {
    const end = out + to - from;
    const part = (column: Float64Array) => column.subarray(out, end);
    return {
      series,
      aggregates: {
        ts: part(columns.ts),
        count: part(columns.count),
        sum: part(columns.sum),
        min: part(columns.min),
        max: part(columns.max),
        first: part(columns.first),
        last: part(columns.last),
        increase: part(columns.increase),
        firstTs: part(columns.firstTs),
        lastTs: part(columns.lastTs),
        delta: markedPart(delta, out, end),
      },
    };
  });
}
