import type { SampleColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { ByteSink } from './byte-sink.ts';
import { DECIMAL_KIND, DOUBLE_KIND, type SplitColumns, splitRun } from './decimal.ts';
import { addSeriesRun, createSeriesRuns, putSeriesColumns, resetSeriesRuns, type SeriesRuns } from './series-runs.ts';
import { type Candidate, closeChunk, type Levels, openChunk, putBooleanColumn, putDictionaryColumn, putNumberPage } from './write-chunk.ts';
import type { WrittenChunk, WrittenRowGroup } from './write-footer.ts';

/** The rows of one row group, column by column, until they are written. */
export interface SampleGroup {
  rows: number;
  readonly series: SeriesRuns;
  ts: Float64Array;
  split: SplitColumns;
  startTs: Float64Array;
  hasStartTs: boolean;
  delta: Uint8Array;
}

/** How a group is laid out. */
export interface GroupLayout {
  readonly level: number;
  /** A page of values ends at the series boundary after this many rows. */
  readonly pageRows: number;
  readonly tsCandidates: readonly Candidate[];
  readonly mantissaCandidates: readonly Candidate[];
}

/** The defaults, chosen by measurement (docs/metrics-block-format.md). */
export const defaultLayout: GroupLayout = {
  level: 3,
  pageRows: 16_384,
  tsCandidates: [{ encoding: 'deltas', layout: { block: 4096, align: 8 } }],
  mantissaCandidates: [
    { encoding: 'deltas', layout: { block: 128, align: 1 } },
    { encoding: 'deltas', layout: { block: 128, align: 8 } },
    { encoding: 'plain' },
  ],
};

/** An empty group with room for `capacity` rows. */
export function createSampleGroup(capacity: number): SampleGroup {
  return { rows: 0, series: createSeriesRuns(), ...allocate(capacity), hasStartTs: false };
}

function allocate(capacity: number): Pick<SampleGroup, 'ts' | 'split' | 'startTs' | 'delta'> {
  const split = {
    kind: new Uint8Array(capacity),
    mantissa: new Float64Array(capacity),
    exponent: new Uint8Array(capacity),
    double: new Float64Array(capacity),
    decimals: 0,
    doubles: 0,
  };
  return { ts: new Float64Array(capacity), split, startTs: new Float64Array(capacity), delta: new Uint8Array(capacity) };
}

/** Appends one series' samples; the group grows as needed. */
export function addSamples(group: SampleGroup, series: Series, samples: SampleColumns): void {
  const { rows } = group;
  const count = samples.ts.length;
  if (rows + count > group.ts.length) growGroup(group, rows + count);
  addSeriesRun(group.series, series, rows + count);
  group.ts.set(samples.ts, rows);
  splitRun(samples.value, samples.stale, group.split, rows);
  if (samples.delta === undefined) group.delta.fill(0, rows, rows + count);
  else group.delta.set(samples.delta, rows);
  if (samples.startTs === undefined) group.startTs.fill(Number.NaN, rows, rows + count);
  else {
    group.startTs.set(samples.startTs, rows);
    group.hasStartTs = true;
  }
  group.rows = rows + count;
}

function growGroup(group: SampleGroup, needed: number): void {
  const grown = allocate(Math.max(needed, group.ts.length * 2));
  const { split } = group;
  grown.ts.set(group.ts);
  grown.startTs.set(group.startTs);
  grown.delta.set(group.delta);
  grown.split.kind.set(split.kind);
  grown.split.mantissa.set(split.mantissa);
  grown.split.exponent.set(split.exponent);
  grown.split.double.set(split.double);
  Object.assign(group, grown, { split: { ...grown.split, decimals: split.decimals, doubles: split.doubles } });
}

/** Writes the rows as a row group and empties the group. */
export function putSampleGroup(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenRowGroup {
  const { rows, split } = group;
  const decimal = new Uint8Array(rows);
  const double = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const kind = split.kind[i];
    if (kind === DECIMAL_KIND) decimal[i] = 1;
    else if (kind === DOUBLE_KIND) double[i] = 1;
  }
  const pageEnds = cutPages(group.series, layout.pageRows);
  const chunks: WrittenChunk[] = [
    ...putSeriesColumns(sink, group.series, rows, layout.level),
    putTs(sink, group, layout),
    putMantissa(sink, group, layout, decimal, pageEnds),
    putExponent(sink, group, layout, decimal),
    putValue(sink, group, layout, double, pageEnds),
    putStartTs(sink, group, layout),
    putDelta(sink, group, layout),
  ];
  resetSeriesRuns(group.series);
  group.rows = 0;
  group.hasStartTs = false;
  split.decimals = 0;
  split.doubles = 0;
  return { rows, chunks };
}

/** Row numbers where pages of values end: at series boundaries, or inside of a series that alone is longer than a page. */
export function cutPages(series: SeriesRuns, pageRows: number): number[] {
  const ends: number[] = [];
  let start = 0;
  for (const end of series.ends) {
    while (end - start > pageRows * 2) {
      start += pageRows;
      ends.push(start);
    }
    if (end - start >= pageRows) {
      start = end;
      ends.push(end);
    }
  }
  const rows = series.ends[series.ends.length - 1];
  if (rows > start) ends.push(rows);
  return ends;
}

/** Bounds of a time column as Parquet's statistics store them. */
export function boundsOf(values: Float64Array, rows: number): { min: Uint8Array; max: Uint8Array; nulls: number } {
  let least = values[0];
  let most = least;
  for (let i = 1; i < rows; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { min: int64Bytes(least), max: int64Bytes(most), nulls: 0 };
}

function int64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, value >>> 0, true);
  view.setInt32(4, Math.floor(value / 4_294_967_296), true);
  return bytes;
}

function putTs(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putNumberPage(chunk, undefined, group.rows, group.ts, 0, group.rows, layout.tsCandidates);
  return closeChunk(chunk, boundsOf(group.ts, group.rows));
}

function putMantissa(
  sink: ByteSink,
  group: SampleGroup,
  layout: GroupLayout,
  present: Uint8Array,
  pageEnds: readonly number[],
): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putPages(pageEnds, present, (levels, from, to) => {
    putNumberPage(chunk, levels, levels.to - levels.from, group.split.mantissa, from, to, layout.mantissaCandidates);
  });
  return closeChunk(chunk, { nulls: group.rows - group.split.decimals });
}

function putValue(sink: ByteSink, group: SampleGroup, layout: GroupLayout, present: Uint8Array, pageEnds: readonly number[]): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putPages(pageEnds, present, (levels, from, to) => {
    putNumberPage(chunk, levels, levels.to - levels.from, group.split.double, from, to, [{ encoding: 'split' }]);
  });
  return closeChunk(chunk, { nulls: group.rows - group.split.doubles });
}

function putPages(pageEnds: readonly number[], present: Uint8Array, put: (levels: Levels, from: number, to: number) => void): void {
  let start = 0;
  let from = 0;
  for (const end of pageEnds) {
    let to = from;
    for (let i = start; i < end; i++) to += present[i];
    put({ present, from: start, to: end }, from, to);
    start = end;
    from = to;
  }
}

function putExponent(sink: ByteSink, group: SampleGroup, layout: GroupLayout, present: Uint8Array): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  const { exponent, decimals } = group.split;
  const dictionary = new Int32Array(23);
  const indexOf = new Uint8Array(23).fill(255);
  const indexes = new Uint8Array(decimals);
  let entries = 0;
  for (let i = 0; i < decimals; i++) {
    const value = exponent[i];
    if (indexOf[value] === 255) {
      indexOf[value] = entries;
      dictionary[entries++] = value;
    }
    indexes[i] = indexOf[value];
  }
  putDictionaryColumn(
    chunk,
    { present, from: 0, to: group.rows },
    new Uint8Array(dictionary.buffer, 0, entries * 4),
    entries,
    indexes,
    decimals,
  );
  return closeChunk(chunk, { nulls: group.rows - decimals });
}

function putStartTs(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  const { rows, startTs } = group;
  const present = new Uint8Array(rows);
  const distinct = new Map<number, number>();
  const indexes = new Uint32Array(group.hasStartTs ? rows : 0);
  let count = 0;
  let previous = Number.NaN;
  for (let i = 0; group.hasStartTs && i < rows; i++) {
    const value = startTs[i];
    if (Number.isNaN(value)) continue;
    present[i] = 1;
    let index = value === previous ? indexes[count - 1] : distinct.get(value);
    if (index === undefined) {
      index = distinct.size;
      distinct.set(value, index);
    }
    previous = value;
    indexes[count++] = index;
  }
  const dictionary = new Uint8Array(distinct.size * 8);
  for (const [value, index] of distinct) dictionary.set(int64Bytes(value), index * 8);
  putDictionaryColumn(chunk, { present, from: 0, to: rows }, dictionary, distinct.size, indexes, count);
  return closeChunk(chunk, { nulls: rows - count });
}

function putDelta(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putBooleanColumn(chunk, group.delta, group.rows);
  return closeChunk(chunk, { nulls: 0 });
}
