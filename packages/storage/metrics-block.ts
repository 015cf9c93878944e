import type { RawSeries } from '#ports/sample-source.ts';
import { type BlockOptions, blockSteps, type EncodedBlock, finish } from './parquet/block-writer.ts';
import { corruptBlock } from './parquet/corrupt.ts';
import type { RowGroupSelection } from './parquet/plan.ts';
import type { BlockFooter } from './parquet/read-footer.ts';
import { readValues } from './parquet/read-sample-group.ts';
import { addSamples, createSampleGroup, putSampleGroup } from './parquet/sample-group.ts';
import { markedPart, openGroup, selectRows } from './parquet/select-rows.ts';

export type { EncodedBlock };

/**
 * Writes raw samples as one Parquet file. `input` is sorted by `compareSeries`, each series once, its samples by time, whole
 * milliseconds within +-2^53; series without samples are left out. Decoding gives bit-equal doubles (every NaN is one NaN). The
 * same input gives the same bytes.
 */
export function encodeMetricsBlock(input: Iterable<RawSeries>, options: BlockOptions = {}): EncodedBlock {
  return finish(metricsBlockSteps(input, options));
}

/** The same in steps of some 10 to 20 ms, for a caller that lets others run in between. */
export function metricsBlockSteps(input: Iterable<RawSeries>, options: BlockOptions = {}): Generator<void, EncodedBlock> {
  const group = createSampleGroup(4096);
  const builder = {
    seriesOf: (item: RawSeries) => item.series,
    tsOf: (item: RawSeries) => item.samples.ts,
    add: (item: RawSeries, from: number, to: number) => addSamples(group, item.series, item.samples, from, to),
    rows: () => group.rows,
    textSize: () => group.series.textSize,
    put: putSampleGroup.bind(undefined, group),
  };
  return blockSteps('samples', input, builder, options);
}

/**
 * Decodes the wanted samples of a row group, in block order, out of the bytes that `planRowGroups` named for it. A series of more
 * than 4 million samples continues in the next row group and comes in one piece from each. Arrays are views of shared memory:
 * never write to them. `input` if the bytes are damaged.
 */
export function decodeSamples(footer: BlockFooter, rowGroup: number, bytes: Uint8Array, selection: RowGroupSelection = {}): RawSeries[] {
  if (footer.kind !== 'samples') throw corruptBlock(`a block of ${footer.kind} where raw samples are wanted`);
  const open = openGroup(footer, rowGroup, bytes);
  const wanted = selectRows(open, selection);
  if (wanted.count === 0) return [];
  const { value, stale, delta, startTs } = readValues(open, wanted);
  return wanted.runs.map(({ series, from, to, out }) => {
    const end = out + to - from;
    return {
      series,
      samples: {
        ts: wanted.ts.subarray(out, end),
        value: value.subarray(out, end),
        stale: markedPart(stale, out, end),
        delta: markedPart(delta, out, end),
        startTs: startTs?.subarray(out, end),
      },
    };
  });
}
