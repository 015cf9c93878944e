import { compareUtf8 } from '#core/text.ts';
import type { Series } from '#model/series.ts';
import type { ByteSink } from './byte-sink.ts';
import { corruptBlock } from './corrupt.ts';
import type { Runs } from './hybrid.ts';
import { addLabelPairs } from './label-filter.ts';
import { readStringColumn } from './read-chunk.ts';
import { closeChunk, openChunk, putStringColumn } from './write-chunk.ts';
import type { WrittenChunk } from './write-footer.ts';

/** The metric and labels columns of a row group as they are built: one run per series. */
export interface SeriesRuns {
  readonly ends: number[];
  readonly metrics: Map<string, number>;
  readonly metricRuns: number[];
  readonly labels: Map<string, number>;
  readonly labelRuns: number[];
  /** Every label that any of the series has, as label-filter.ts writes them. */
  readonly pairs: Set<string>;
  /** Characters of all distinct metrics and labels. */
  textSize: number;
}

/** One series' rows within a row group. */
export interface SeriesRun {
  readonly metric: string;
  readonly json: string;
  readonly from: number;
  readonly to: number;
}

export function createSeriesRuns(): SeriesRuns {
  return { ends: [], metrics: new Map(), metricRuns: [], labels: new Map(), labelRuns: [], pairs: new Set(), textSize: 0 };
}

export function resetSeriesRuns(runs: SeriesRuns): void {
  runs.ends.length = 0;
  runs.metricRuns.length = 0;
  runs.labelRuns.length = 0;
  runs.metrics.clear();
  runs.labels.clear();
  runs.pairs.clear();
  runs.textSize = 0;
}

/** Appends a series whose rows end at row `end`. */
export function addSeriesRun(runs: SeriesRuns, series: Series, end: number): void {
  runs.ends.push(end);
  runs.metricRuns.push(indexIn(runs, runs.metrics, series.metric));
  runs.labelRuns.push(indexIn(runs, runs.labels, series.json));
  addLabelPairs(runs.pairs, series);
}

function indexIn(runs: SeriesRuns, dictionary: Map<string, number>, value: string): number {
  let index = dictionary.get(value);
  if (index === undefined) {
    index = dictionary.size;
    dictionary.set(value, index);
    runs.textSize += value.length;
  }
  return index;
}

/** Writes the two columns. */
export function putSeriesColumns(sink: ByteSink, runs: SeriesRuns, rows: number, level: number): [WrittenChunk, WrittenChunk] {
  const metric = openChunk(sink, level);
  const metrics = [...runs.metrics.keys()];
  putStringColumn(metric, rows, metrics, { values: runs.metricRuns, ends: runs.ends });
  const closedMetric = closeChunk(metric, { ...stringBounds(metrics), nulls: 0 });
  const labels = openChunk(sink, level);
  putStringColumn(labels, rows, [...runs.labels.keys()], { values: runs.labelRuns, ends: runs.ends });
  return [closedMetric, closeChunk(labels, { nulls: 0 })];
}

function stringBounds(values: readonly string[]): { min: Uint8Array; max: Uint8Array } {
  const encoder = new TextEncoder();
  let [min, max] = [values[0], values[0]];
  for (const value of values) {
    if (compareUtf8(value, min) < 0) min = value;
    if (compareUtf8(value, max) > 0) max = value;
  }
  return { min: encoder.encode(min), max: encoder.encode(max) };
}

/** Reads the two columns back as one run per series, in row order. */
export function readSeriesRuns(metricBytes: Uint8Array, labelBytes: Uint8Array, rows: number): SeriesRun[] {
  const metrics = readStringColumn(metricBytes, rows);
  const labels = readStringColumn(labelBytes, rows);
  const series: SeriesRun[] = [];
  let [m, l, from] = [0, 0, 0];
  while (from < rows) {
    const to = Math.min(endOf(metrics.runs, m), endOf(labels.runs, l));
    series.push({ metric: metrics.dictionary[metrics.runs.values[m]], json: labels.dictionary[labels.runs.values[l]], from, to });
    if (endOf(metrics.runs, m) === to) m++;
    if (endOf(labels.runs, l) === to) l++;
    from = to;
  }
  return series;
}

function endOf(runs: Runs, index: number): number {
  const end = runs.ends[index];
  if (end === undefined) throw corruptBlock('metric and labels columns of different lengths');
  return end;
}
