import type { Series } from '#model/series.ts';
import { formatFloat } from './format-float.ts';
import { formatTimestamp } from './format-time.ts';
import { NO_NOTES, type Notes, SUCCESS_HEAD, successTail, TRUNCATED } from './response.ts';

/**
 * Rows of values at the same times: row r at time i is `values[r * times.length + i]`, and counts only where `present` is 1 at the same
 * place. The engine's frames have this form.
 */
export interface Rows {
  readonly series: readonly Series[];
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** One series with times of its own. */
interface SeriesPoints {
  readonly series: Series;
  readonly ts: Float64Array;
  readonly value: Float64Array;
}

/** The result of a query, in whichever form it came. Times in milliseconds. */
export type QueryResult =
  | { readonly resultType: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly resultType: 'string'; readonly timeMs: number; readonly value: string }
  /** Of rows with a single time. */
  | { readonly resultType: 'vector'; readonly rows: Rows }
  | { readonly resultType: 'matrix'; readonly rows: Rows }
  | { readonly resultType: 'matrix'; readonly points: readonly SeriesPoints[] };

/** About how many characters are handed on at once. */
const CHUNK = 64 * 1024;

/** A series as JSON with `__name__` in its place among the labels. */
export function metricJson({ metric, labels, json }: Series): string {
  if (metric === '') return json;
  const name = `"__name__":${JSON.stringify(metric)}`;
  if (labels.length === 0) return `{${name}}`;
  if (labels[0].name > '__name__') return `{${name},${json.slice(1)}`;
  const before = labels.filter((label) => label.name < '__name__').map(pairJson);
  const after = labels.filter((label) => label.name > '__name__').map(pairJson);
  return `{${[...before, name, ...after].join(',')}}`;
}

function pairJson({ name, value }: Series['labels'][number]): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

function* vectorParts({ series, times, values, present }: Rows, count: number): Generator<string> {
  const time = times.length === 0 ? '' : formatTimestamp(times[0]);
  let separator = '';
  for (let row = 0; row < count; row++) {
    if (present[row] !== 1) continue;
    yield `${separator}{"metric":${metricJson(series[row])},"value":[${time},"${formatFloat(values[row])}"]}`;
    separator = ',';
  }
}

function* matrixParts({ series, times, values, present }: Rows, count: number): Generator<string> {
  const width = times.length;
  const heads = Array.from(times, (time) => `[${formatTimestamp(time)},"`);
  for (let row = 0; row < count; row++) {
    const base = row * width;
    let out = `${row === 0 ? '' : ','}{"metric":${metricJson(series[row])}`;
    let separator = ',"values":[';
    for (let i = 0; i < width; i++) {
      if (present[base + i] !== 1) continue;
      out += `${separator}${heads[i]}${formatFloat(values[base + i])}"]`;
      separator = ',';
    }
    yield separator === ',' ? `${out}]}` : `${out}}`;
  }
}

function* pointsParts(points: readonly SeriesPoints[], count: number): Generator<string> {
  for (let row = 0; row < count; row++) {
    const { series, ts, value } = points[row];
    let out = `${row === 0 ? '' : ','}{"metric":${metricJson(series)}`;
    for (let i = 0; i < ts.length; i++) {
      out += `${i === 0 ? ',"values":[' : ','}[${formatTimestamp(ts[i])},"${formatFloat(value[i])}"]`;
    }
    yield ts.length === 0 ? `${out}}` : `${out}]}`;
  }
}

function countSeries(result: QueryResult): number {
  if (result.resultType === 'scalar' || result.resultType === 'string') return 1;
  return 'rows' in result ? result.rows.series.length : result.points.length;
}

function* resultParts(result: QueryResult, count: number): Generator<string> {
  if (result.resultType === 'scalar') yield `[${formatTimestamp(result.timeMs)},"${formatFloat(result.value)}"]`;
  else if (result.resultType === 'string') yield `[${formatTimestamp(result.timeMs)},${JSON.stringify(result.value)}]`;
  else {
    yield '[';
    if (result.resultType === 'vector') yield* vectorParts(result.rows, count);
    else yield* 'rows' in result ? matrixParts(result.rows, count) : pointsParts(result.points, count);
    yield ']';
  }
}

/** The body of a good answer to a query, in pieces of about 64 KiB; `limit` 0 is every series. */
export function* resultJson(result: QueryResult, notes: Notes = NO_NOTES, limit = 0): Generator<string> {
  const series = countSeries(result);
  const cut = limit > 0 && series > limit;
  let out = `${SUCCESS_HEAD}{"resultType":"${result.resultType}","result":`;
  for (const part of resultParts(result, cut ? limit : series)) {
    out += part;
    if (out.length < CHUNK) continue;
    yield out;
    out = '';
  }
  const tail = successTail(cut ? { ...notes, warnings: [...notes.warnings, TRUNCATED] } : notes);
  yield `${out}}${tail}`;
}
