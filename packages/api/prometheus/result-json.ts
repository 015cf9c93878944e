import type { Series } from '#model/series.ts';
import type { MatrixSeries, QueryValue } from '#query/query-result.ts';
import { formatTimestamp } from './format-time.ts';
import { createJsonSink, type JsonSink, PIECE_BYTES, putBytes, putFloat, putText, takePiece } from './json-sink.ts';
import { NO_NOTES, type Notes, SUCCESS_HEAD, successTail, TRUNCATED } from './response.ts';

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

/** Writes item after item, and hands on what has come together whenever it is a piece. */
function* putEach<T>(sink: JsonSink, items: readonly T[], count: number, put: (item: T, row: number) => void): Generator<Uint8Array> {
  for (let row = 0; row < count; row++) {
    if (row > 0) putText(sink, ',');
    put(items[row], row);
    if (sink.used >= PIECE_BYTES) yield takePiece(sink);
  }
}

function vectorWriter(sink: JsonSink, tMs: number, values: Float64Array): (series: Series, row: number) => void {
  const between = `,"value":[${formatTimestamp(tMs)},"`;
  return (series, row) => {
    putText(sink, `{"metric":${metricJson(series)}${between}`);
    putFloat(sink, values[row]);
    putText(sink, '"]}');
  };
}

/** What stands before and between the values of a series: `"],[1435781430,"`. */
interface TimeHeads {
  readonly times: number[];
  readonly starts: number[];
  readonly sink: JsonSink;
}

/** Series of a range query mostly share their times, so each time is spelled once as long as the same one comes at the same place. */
function matrixWriter(sink: JsonSink): (series: MatrixSeries) => void {
  let heads = startHeads();
  return ({ series, ts, values, count }) => {
    putText(sink, `{"metric":${metricJson(series)}`);
    for (let i = 0; i < count; i++) {
      if (heads.times[i] !== ts[i]) heads = headsUpTo(heads, ts, i);
      putBytes(sink, heads.sink.bytes, heads.starts[i], heads.starts[i + 1]);
      putFloat(sink, values[i]);
    }
    putText(sink, count === 0 ? '}' : '"]]}');
  };
}

function startHeads(): TimeHeads {
  return { times: [], starts: [0], sink: createJsonSink() };
}

/** The heads of a series whose time `i` is not the one that is there: those before it are kept. */
function headsUpTo(heads: TimeHeads, ts: Float64Array, i: number): TimeHeads {
  heads.times.length = i;
  heads.starts.length = i + 1;
  heads.sink.used = heads.starts[i];
  heads.times.push(ts[i]);
  putText(heads.sink, `${i === 0 ? ',"values":[' : '"],'}[${formatTimestamp(ts[i])},"`);
  heads.starts.push(heads.sink.used);
  return heads;
}

function countSeries(result: QueryValue): number {
  return result.type === 'vector' || result.type === 'matrix' ? result.series.length : 1;
}

function* resultParts(sink: JsonSink, result: QueryValue, count: number): Generator<Uint8Array> {
  if (result.type === 'string') return putText(sink, `[${formatTimestamp(result.tMs)},${JSON.stringify(result.value)}]`);
  if (result.type === 'scalar') {
    putText(sink, `[${formatTimestamp(result.tMs)},"`);
    putFloat(sink, result.value);
    return putText(sink, '"]');
  }
  putText(sink, '[');
  if (result.type === 'vector') yield* putEach(sink, result.series, count, vectorWriter(sink, result.tMs, result.values));
  else yield* putEach(sink, result.series, count, matrixWriter(sink));
  putText(sink, ']');
}

/** The body of a good answer to a query, in pieces of about 64 KiB; `limit` 0 is every series. */
export function* resultJson(result: QueryValue, notes: Notes = NO_NOTES, limit = 0): Generator<Uint8Array> {
  const series = countSeries(result);
  const cut = limit > 0 && series > limit;
  const sink = createJsonSink();
  putText(sink, `${SUCCESS_HEAD}{"resultType":"${result.type}","result":`);
  yield* resultParts(sink, result, cut ? limit : series);
  putText(sink, `}${successTail(cut ? { ...notes, warnings: [...notes.warnings, TRUNCATED] } : notes)}`);
  yield takePiece(sink);
}
