import type { AggregateColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { GroupLayout } from './block-writer.ts';
import { type ByteSink, createSink, putBytes, sinkView } from './byte-sink.ts';
import { buildLabelFilter } from './label-filter.ts';
import { cutPages, type PageCut, timeBounds } from './row-pages.ts';
import { addSeriesRun, createSeriesRuns, putSeriesColumns, resetSeriesRuns, type SeriesRuns } from './series-runs.ts';
import { timeCandidates } from './time-layout.ts';
import { closeChunk, openChunk, putBooleanColumn, putIndexPage, putNumberPage } from './write-chunk.ts';
import type { WrittenChunk, WrittenRowGroup } from './write-footer.ts';

/** The number columns of an aggregate row, in the order of the schema, which begins after metric and labels. */
export const aggregateColumns = ['ts', 'count', 'sum', 'min', 'max', 'first', 'last', 'increase', 'firstTs', 'lastTs'] as const;

export type AggregateColumn = (typeof aggregateColumns)[number];

/** Whether a column holds whole numbers or any doubles. */
export function isWhole(column: AggregateColumn): boolean {
  return column === 'ts' || column === 'count' || column === 'firstTs' || column === 'lastTs';
}

/** The rows of one row group, column by column, until they are written. */
export interface AggregateGroup {
  rows: number;
  readonly series: SeriesRuns;
  columns: Record<AggregateColumn, Float64Array>;
  delta: Uint8Array;
}

/** An empty group with room for `capacity` rows. */
export function createAggregateGroup(capacity: number): AggregateGroup {
  return { rows: 0, series: createSeriesRuns(), columns: allocate(capacity), delta: new Uint8Array(capacity) };
}

function allocate(capacity: number): Record<AggregateColumn, Float64Array> {
  return Object.fromEntries(aggregateColumns.map((name) => [name, new Float64Array(capacity)])) as Record<AggregateColumn, Float64Array>;
}

/** Appends rows `from` to `to` of a series; the group grows as needed. */
export function addAggregates(group: AggregateGroup, series: Series, aggregates: AggregateColumns, from: number, to: number): void {
  const { rows } = group;
  const end = rows + to - from;
  if (end > group.delta.length) growGroup(group, end);
  addSeriesRun(group.series, series, end);
  for (const name of aggregateColumns) group.columns[name].set(aggregates[name].subarray(from, to), rows);
  if (aggregates.delta === undefined) group.delta.fill(0, rows, end);
  else group.delta.set(aggregates.delta.subarray(from, to), rows);
  group.rows = end;
}

function growGroup(group: AggregateGroup, needed: number): void {
  const capacity = Math.max(needed, group.delta.length * 2);
  const columns = allocate(capacity);
  for (const name of aggregateColumns) columns[name].set(group.columns[name]);
  const delta = new Uint8Array(capacity);
  delta.set(group.delta);
  Object.assign(group, { columns, delta });
}

/** Writes the rows as a row group and empties the group. */
export function putAggregateGroup(group: AggregateGroup, sink: ByteSink, layout: GroupLayout): WrittenRowGroup {
  const { rows, series, columns } = group;
  const cuts = cutPages(series, layout.pageRows);
  const chunks: WrittenChunk[] = putSeriesColumns(sink, series, rows, layout.level);
  for (const name of aggregateColumns) {
    chunks.push(isWhole(name) ? putWhole(sink, name, group, layout) : putDoubles(sink, columns[name], layout, cuts));
  }
  const delta = openChunk(sink, layout.level);
  putBooleanColumn(delta, group.delta, rows);
  chunks.push(closeChunk(delta, { nulls: 0 }));
  const labels = buildLabelFilter(series.pairs);
  resetSeriesRuns(series);
  group.rows = 0;
  return { rows, chunks, labels };
}

/** Whole numbers in one page: series of one target share times and counts, which zstd finds within a page only. */
function putWhole(sink: ByteSink, name: AggregateColumn, group: AggregateGroup, layout: GroupLayout): WrittenChunk {
  const { rows } = group;
  const values = group.columns[name];
  const chunk = openChunk(sink, layout.level);
  putNumberPage(chunk, undefined, rows, values, 0, rows, timeCandidates(values, rows));
  return closeChunk(chunk, name === 'ts' ? timeBounds(values, rows) : { nulls: 0 });
}

/** Doubles as split bytes or, where that is smaller, as indexes into a dictionary. */
function putDoubles(sink: ByteSink, values: Float64Array, layout: GroupLayout, cuts: readonly PageCut[]): WrittenChunk {
  const rows = cuts[cuts.length - 1].rowEnd;
  const start = sink.at;
  const split = openChunk(sink, layout.level);
  for (const { from, to } of cuts) putNumberPage(split, undefined, to - from, values, from, to, [{ encoding: 'split' }]);
  const closedSplit = closeChunk(split, { nulls: 0 });
  const found = indexDoubles(values, rows);
  if (found === undefined) return closedSplit;
  const other = createSink(1024);
  const chunk = openChunk(other, layout.level);
  for (const { from, to } of cuts) {
    putIndexPage(chunk, undefined, to - from, found.dictionary, found.entries, found.indexes.subarray(from, to));
  }
  if (other.at >= closedSplit.sizeBytes) return closedSplit;
  sink.at = start;
  putBytes(sink, sinkView(other));
  return { ...closeChunk(chunk, { nulls: 0 }), offset: start };
}

/**
 * The distinct values of a column, in order of appearance, if they are at most a half of its rows. (-0 is undefined too: a Map
 * takes it for 0.)
 */
function indexDoubles(values: Float64Array, rows: number): { dictionary: Uint8Array; entries: number; indexes: Uint32Array } | undefined {
  const found = new Map<number, number>();
  const indexes = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    const value = values[i];
    if (Object.is(value, -0)) return undefined;
    let index = found.get(value);
    if (index === undefined) {
      index = found.size;
      found.set(value, index);
      if (index > 1024 && index > i / 2) return undefined;
    }
    indexes[i] = index;
  }
  if (found.size > rows / 2) return undefined;
  return { dictionary: new Uint8Array(Float64Array.from(found.keys()).buffer), entries: found.size, indexes };
}
