import type { SampleColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import { createSink, putBytes, sinkView } from './parquet/byte-sink.ts';
import { corruptBlock } from './parquet/corrupt.ts';
import type { RowGroupSelection } from './parquet/plan.ts';
import type { BlockFooter } from './parquet/read-footer.ts';
import { readValues } from './parquet/read-sample-group.ts';
import { addSamples, createSampleGroup, defaultLayout, type GroupLayout, putSampleGroup } from './parquet/sample-group.ts';
import { openGroup, selectRows } from './parquet/select-rows.ts';
import { readSeriesRuns } from './parquet/series-runs.ts';
import { MAGIC, putFooter, type WrittenRowGroup } from './parquet/write-footer.ts';

/** One series' samples: what a block is made of, and what reading it gives. */
export interface SeriesSamples {
  readonly series: Series;
  readonly samples: SampleColumns;
}

export interface BlockOptions extends Partial<GroupLayout> {
  /** A row group ends at the next change of metric after this many rows... */
  readonly groupRows?: number | undefined;
  /** ...and at the next series where it would pass this many. A longer series is cut. */
  readonly maxGroupRows?: number | undefined;
  /** More key-value metadata for the footer, beside `quarterdeck.schema`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface EncodedBlock {
  readonly bytes: Uint8Array;
  /** How many bytes at the end `readFooter` needs. */
  readonly footerBytes: number;
  readonly rows: number;
  readonly seriesCount: number;
  /** Infinity and -Infinity in a block without rows. */
  readonly minTs: number;
  readonly maxTs: number;
}

/** Defaults of BlockOptions, chosen by measurement. */
export const DEFAULT_GROUP_ROWS = 131_072;
export const DEFAULT_MAX_GROUP_ROWS = 262_144;

/**
 * Writes raw samples as one Parquet file. `input` is sorted by `compareSeries`, each series once, its samples by time; series
 * without samples are left out. Decoding gives bit-equal doubles (every NaN is one NaN). The same input gives the same bytes.
 */
export function encodeMetricsBlock(input: Iterable<SeriesSamples>, options: BlockOptions = {}): EncodedBlock {
  const { groupRows = DEFAULT_GROUP_ROWS, maxGroupRows = DEFAULT_MAX_GROUP_ROWS, metadata = {}, ...layoutOptions } = options;
  const layout: GroupLayout = { ...defaultLayout, ...layoutOptions };
  const sink = createSink(1 << 16);
  putBytes(sink, MAGIC);
  const groups: WrittenRowGroup[] = [];
  const group = createSampleGroup(4096);
  const flush = () => {
    if (group.rows > 0) groups.push(putSampleGroup(sink, group, layout));
  };
  let [rows, seriesCount, minTs, maxTs] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let metric: string | undefined;
  for (const { series, samples } of input) {
    const count = samples.ts.length;
    if (count === 0) continue;
    if (group.rows + count > maxGroupRows || (series.metric !== metric && group.rows >= groupRows)) flush();
    for (let from = 0; from < count; from += maxGroupRows) {
      if (from > 0) flush();
      addSamples(group, series, count <= maxGroupRows ? samples : sliceSamples(samples, from, from + maxGroupRows));
    }
    metric = series.metric;
    rows += count;
    seriesCount++;
    minTs = Math.min(minTs, samples.ts[0]);
    maxTs = Math.max(maxTs, samples.ts[count - 1]);
  }
  flush();
  const footerBytes = putFooter(sink, 'samples', groups, metadata);
  return { bytes: sinkView(sink), footerBytes, rows, seriesCount, minTs, maxTs };
}

/** Samples `from` to `to` (exclusive, clamped) as views. */
function sliceSamples(samples: SampleColumns, from: number, to: number): SampleColumns {
  return {
    ts: samples.ts.subarray(from, to),
    value: samples.value.subarray(from, to),
    stale: samples.stale?.subarray(from, to),
    delta: samples.delta?.subarray(from, to),
    startTs: samples.startTs?.subarray(from, to),
  };
}

/**
 * Decodes the wanted samples of a row group, in block order, out of the bytes that `planRowGroups` named for it. A series that
 * continues in the next row group comes in one piece from each. Arrays are views of shared memory: never write to them.
 * `input` if the bytes are damaged.
 */
export function decodeRowGroup(
  footer: BlockFooter,
  rowGroup: number,
  bytes: Uint8Array,
  selection: RowGroupSelection = {},
): SeriesSamples[] {
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

/** Only the series of a row group, out of the bytes that `planSeries` named for it (or all of the row group's). */
export function decodeSeries(
  footer: BlockFooter,
  rowGroup: number,
  bytes: Uint8Array,
): { readonly metric: string; readonly json: string }[] {
  const group = footer.rowGroups[rowGroup];
  if (group === undefined || bytes.length < group.columns[1].end - group.start)
    throw corruptBlock(`${bytes.length} bytes for the series of row group ${rowGroup}`);
  const part = (column: number) => bytes.subarray(group.columns[column].start - group.start, group.columns[column].end - group.start);
  return readSeriesRuns(part(0), part(1), group.rows).map(({ metric, json }) => ({ metric, json }));
}

function markedPart(marks: Uint8Array | undefined, from: number, to: number): Uint8Array | undefined {
  const part = marks?.subarray(from, to);
  return part?.includes(1) ? part : undefined;
}
