import type { SampleColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { GroupLayout } from './block-writer.ts';
import type { ByteSink } from './byte-sink.ts';
import { DECIMAL_KIND, DOUBLE_KIND, type SplitColumns, splitRun } from './decimal.ts';
import { buildLabelFilter } from './label-filter.ts';
import { cutPages, int64Bytes, timeBounds } from './row-pages.ts';
import { addSeriesRun, createSeriesRuns, putSeriesColumns, resetSeriesRuns, type SeriesRuns } from './series-runs.ts';
import { timeCandidates } from './time-layout.ts';
import { type Candidate, closeChunk, type OpenChunk, openChunk, putBooleanColumn, putIndexPage, putNumberPage } from './write-chunk.ts';
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

const mantissaCandidates: readonly Candidate[] = [
  { encoding: 'deltas', layout: { block: 128, align: 1 } },
  { encoding: 'deltas', layout: { block: 128, align: 8 } },
  { encoding: 'plain' },
];

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

/** Appends samples `from` to `to` of a series; the group grows as needed. */
export function addSamples(group: SampleGroup, series: Series, whole: SampleColumns, from: number, to: number): void {
  const { rows } = group;
  const count = to - from;
  const samples = count === whole.ts.length ? whole : sliceSamples(whole, from, to);
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

function sliceSamples(samples: SampleColumns, from: number, to: number): SampleColumns {
  return {
    ts: samples.ts.subarray(from, to),
    value: samples.value.subarray(from, to),
    stale: samples.stale?.subarray(from, to),
    delta: samples.delta?.subarray(from, to),
    startTs: samples.startTs?.subarray(from, to),
  };
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
export function putSampleGroup(group: SampleGroup, sink: ByteSink, layout: GroupLayout): WrittenRowGroup {
  const { rows, split } = group;
  const decimal = new Uint8Array(rows);
  const double = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const kind = split.kind[i];
    if (kind === DECIMAL_KIND) decimal[i] = 1;
    else if (kind === DOUBLE_KIND) double[i] = 1;
  }
  const chunks: WrittenChunk[] = [
    ...putSeriesColumns(sink, group.series, rows, layout.level),
    putTs(sink, group, layout),
    putMantissa(sink, group, layout, decimal),
    putExponent(sink, group, layout, decimal),
    putValue(sink, group, layout, double),
    putStartTs(sink, group, layout),
    putDelta(sink, group, layout),
  ];
  const labels = buildLabelFilter(group.series.pairs);
  resetSeriesRuns(group.series);
  group.rows = 0;
  group.hasStartTs = false;
  split.decimals = 0;
  split.doubles = 0;
  return { rows, chunks, labels };
}

function putTs(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putNumberPage(chunk, undefined, group.rows, group.ts, 0, group.rows, timeCandidates(group.ts, group.rows));
  return closeChunk(chunk, timeBounds(group.ts, group.rows));
}

function putMantissa(sink: ByteSink, group: SampleGroup, layout: GroupLayout, present: Uint8Array): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putPresent(chunk, group, layout, present, group.split.mantissa, mantissaCandidates);
  return closeChunk(chunk, { nulls: group.rows - group.split.decimals });
}

function putValue(sink: ByteSink, group: SampleGroup, layout: GroupLayout, present: Uint8Array): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putPresent(chunk, group, layout, present, group.split.double, [{ encoding: 'split' }]);
  return closeChunk(chunk, { nulls: group.rows - group.split.doubles });
}

function putPresent(
  chunk: OpenChunk,
  group: SampleGroup,
  layout: GroupLayout,
  present: Uint8Array,
  values: Float64Array,
  candidates: readonly Candidate[],
): void {
  for (const { rowStart, rowEnd, from, to } of cutPages(group.series, layout.pageRows, present)) {
    putNumberPage(chunk, { present, from: rowStart, to: rowEnd }, rowEnd - rowStart, values, from, to, candidates);
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
  const entriesBytes = new Uint8Array(dictionary.buffer, 0, entries * 4);
  putIndexPage(chunk, { present, from: 0, to: group.rows }, group.rows, entriesBytes, entries, indexes);
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
  putIndexPage(chunk, { present, from: 0, to: rows }, rows, dictionary, distinct.size, indexes.subarray(0, count));
  return closeChunk(chunk, { nulls: rows - count });
}

function putDelta(sink: ByteSink, group: SampleGroup, layout: GroupLayout): WrittenChunk {
  const chunk = openChunk(sink, layout.level);
  putBooleanColumn(chunk, group.delta, group.rows);
  return closeChunk(chunk, { nulls: 0 });
}
