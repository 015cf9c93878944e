import type { Series } from '#model/series.ts';
import type { MatrixSeries, QueryValue } from '#query/query-result.ts';
import { formatFloat } from './format-float.ts';
import { formatTimestamp } from './format-time.ts';
import { NO_NOTES, type Notes, SUCCESS_HEAD, successTail, TRUNCATED } from './response.ts';

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

function* vectorParts(tMs: number, series: readonly Series[], values: Float64Array, count: number): Generator<string> {
  const time = formatTimestamp(tMs);
  for (let row = 0; row < count; row++) {
    yield `${row === 0 ? '' : ','}{"metric":${metricJson(series[row])},"value":[${time},"${formatFloat(values[row])}"]}`;
  }
}

/** Series of a range query mostly share their times, so each time is spelled once as long as the same one comes at the same place. */
function* matrixParts(rows: readonly MatrixSeries[], count: number): Generator<string> {
  const times: number[] = [];
  const heads: string[] = [];
  for (let row = 0; row < count; row++) {
    const { series, ts, values, count: points } = rows[row];
    let out = `${row === 0 ? '' : ','}{"metric":${metricJson(series)}`;
    for (let i = 0; i < points; i++) {
      if (times[i] !== ts[i]) {
        times[i] = ts[i];
        heads[i] = `[${formatTimestamp(ts[i])},"`;
      }
      out += `${i === 0 ? ',"values":[' : ','}${heads[i]}${formatFloat(values[i])}"]`;
    }
    yield points === 0 ? `${out}}` : `${out}]}`;
  }
}

function countSeries(result: QueryValue): number {
  return result.type === 'vector' || result.type === 'matrix' ? result.series.length : 1;
}

function* resultParts(result: QueryValue, count: number): Generator<string> {
  if (result.type === 'scalar') yield `[${formatTimestamp(result.tMs)},"${formatFloat(result.value)}"]`;
  else if (result.type === 'string') yield `[${formatTimestamp(result.tMs)},${JSON.stringify(result.value)}]`;
  else {
    yield '[';
    if (result.type === 'vector') yield* vectorParts(result.tMs, result.series, result.values, count);
    else yield* matrixParts(result.series, count);
    yield ']';
  }
}

/** The body of a good answer to a query, in pieces of about 64 KiB; `limit` 0 is every series. */
export function* resultJson(result: QueryValue, notes: Notes = NO_NOTES, limit = 0): Generator<string> {
  const series = countSeries(result);
  const cut = limit > 0 && series > limit;
  let out = `${SUCCESS_HEAD}{"resultType":"${result.type}","result":`;
  for (const part of resultParts(result, cut ? limit : series)) {
    out += part;
    if (out.length < CHUNK) continue;
    yield out;
    out = '';
  }
  const tail = successTail(cut ? { ...notes, warnings: [...notes.warnings, TRUNCATED] } : notes);
  yield `${out}}${tail}`;
}
