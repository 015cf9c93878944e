import { copyText, type DecodeContext, internSlices } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { describeChar, describeWord, findSeriesEnd, scanMetricName, scanSeries, unescapeText } from './exposition-labels.ts';
import { parseFloatText, parseIntegerText } from './float-text.ts';
import { type SeriesLookup, tooManyLabels } from './label-rules.ts';
import {
  dropCarriageReturn,
  finishLineRun,
  type LineCursor,
  type LineOptions,
  type LineRun,
  readLines,
  rejectSamples,
  setProblem,
  skipBlanks,
  startLineRun,
  wordEnd,
} from './line-run.ts';
import { decodeOpenMetrics, isOpenMetrics } from './openmetrics.ts';
import { quoteShort } from './rejections.ts';

export interface ExpositionOptions extends LineOptions {
  /** The request's Content-Type. `application/openmetrics-text` is held to OpenMetrics 1.0; anything else is Prometheus text. */
  readonly contentType?: string | undefined;
}

/**
 * Decodes a page of metrics in the format that its content type names. What is not of that format fails the whole body with
 * `input`, naming line and column, unless Prometheus text is asked to `reject` such lines; OpenMetrics is one document and has
 * no such choice.
 */
export function decodeExposition(body: Uint8Array, context: DecodeContext, options: ExpositionOptions = {}): Decoded {
  return isOpenMetrics(options.contentType) ? decodeOpenMetrics(body, context) : decodePrometheusText(body, context, options);
}

/**
 * Decodes the Prometheus text format, versions 0.0.4 and 1.0.0 (names in quotes). Timestamps are milliseconds; a sample without
 * one has the time of receipt. Lines stand alone, so any piece of whole lines of a larger text decodes by itself.
 */
export function decodePrometheusText(body: Uint8Array, context: DecodeContext, options: LineOptions = {}): Decoded {
  const run = startLineRun(context, options);
  const seriesByText = new Map<string, SeriesLookup>();
  readLines(body, run, (cursor) => {
    dropCarriageReturn(cursor);
    skipBlanks(cursor);
    if (cursor.at === cursor.end) return;
    if (cursor.text.charCodeAt(cursor.at) === 35) readComment(run, cursor);
    else readSample(run, cursor, seriesByText);
  });
  return finishLineRun(run);
}

function readSample(run: LineRun, cursor: LineCursor, seriesByText: Map<string, SeriesLookup>): undefined {
  const found = readSeries(run, cursor, seriesByText);
  if (found === undefined) return;
  skipBlanks(cursor);
  const valueEnd = wordEnd(cursor);
  const value = parseFloatText(cursor.text, cursor.at, valueEnd);
  if (value === undefined) return setProblem(cursor, `expected a value, found ${describeWord(cursor, valueEnd)}`);
  cursor.at = valueEnd;
  skipBlanks(cursor);
  let ts = run.context.nowMs;
  if (cursor.at < cursor.end) {
    const timestampEnd = wordEnd(cursor);
    const timestamp = parseIntegerText(cursor.text, cursor.at, timestampEnd);
    if (timestamp === undefined) {
      return setProblem(cursor, `expected a timestamp in whole milliseconds, found ${describeWord(cursor, timestampEnd)}`);
    }
    if (!Number.isSafeInteger(timestamp)) return rejectSamples(run, cursor, outOfRange(cursor, timestampEnd));
    ts = timestamp;
    cursor.at = timestampEnd;
    skipBlanks(cursor);
    if (cursor.at < cursor.end) return setProblem(cursor, `expected the end of the line, found ${describeWord(cursor, wordEnd(cursor))}`);
  } else {
    run.stampedAtReceipt = true;
  }
  if (found.series) {
    run.builder.add(found.series, ts, value);
    return;
  }
  cursor.at = cursor.lineStart;
  rejectSamples(run, cursor, found.rejection);
}

/** The series at the cursor; spelled as before in this body, it is not looked into again. */
function readSeries(run: LineRun, cursor: LineCursor, seriesByText: Map<string, SeriesLookup>): SeriesLookup | undefined {
  const end = findSeriesEnd(cursor);
  const text = end < 0 ? undefined : cursor.text.slice(cursor.at, end);
  const known = text === undefined ? undefined : seriesByText.get(text);
  if (known !== undefined) {
    cursor.at = end;
    return known;
  }
  const { limits } = run.context;
  const scanned = scanSeries(cursor, limits.maxLabels, false);
  if (scanned === undefined) return undefined;
  if (!endsName(cursor)) {
    return setProblem(
      cursor,
      `unexpected ${describeChar(cursor)} in a metric name; names with such characters go in quotes: {"my.metric"}`,
    );
  }
  const found = scanned.count > limits.maxLabels ? tooManyLabels(scanned.count, limits, '') : internSlices(run.context, scanned.labels);
  if (text !== undefined) seriesByText.set(text, found);
  return found;
}

/** A name without braces ends in a blank or with the line; behind braces anything may follow. */
function endsName({ text, at, end }: LineCursor): boolean {
  const next = text.charCodeAt(at);
  return at >= end || next === 32 || next === 9 || text.charCodeAt(at - 1) === 125;
}

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'unknown', 'info', 'stateset', 'gaugehistogram']);

/** `# HELP` and `# TYPE` are kept; any other comment means nothing. */
function readComment(run: LineRun, cursor: LineCursor): undefined {
  const keyword = readKeyword(cursor);
  if (keyword === undefined) return;
  const metric = scanMetricName(cursor);
  if (metric === undefined) return;
  if (metric === '') return setProblem(cursor, 'the metric name is empty');
  const nameEnd = cursor.at;
  skipBlanks(cursor);
  if (cursor.at === nameEnd && cursor.at < cursor.end)
    return setProblem(cursor, `expected a blank behind the metric name, found ${describeChar(cursor)}`);
  const rest = cursor.text.slice(cursor.at, cursor.end);
  const known = run.metadata.get(metric) ?? { metric: copyText(metric), type: 'unknown', help: '', unit: '' };
  if (keyword === 'HELP') {
    run.metadata.set(metric, { ...known, help: copyText(unescapeText(rest.slice(0, run.context.limits.maxValueBytes), false)) });
    return;
  }
  const type = rest.trimEnd() === 'untyped' ? 'unknown' : rest.trimEnd();
  if (!TYPES.has(type))
    return setProblem(cursor, `${quoteShort(rest)} is not a metric type; accepted are ${[...TYPES].join(', ')}, untyped`);
  run.metadata.set(metric, { ...known, type });
}

function readKeyword(cursor: LineCursor): 'HELP' | 'TYPE' | undefined {
  cursor.at++;
  skipBlanks(cursor);
  const end = wordEnd(cursor);
  const word = cursor.text.slice(cursor.at, Math.min(end, cursor.at + 5));
  if (word !== 'HELP' && word !== 'TYPE') return undefined;
  cursor.at = end;
  skipBlanks(cursor);
  return cursor.at < cursor.end ? word : undefined;
}

function outOfRange(cursor: LineCursor, end: number): { reason: string; message: string } {
  const message = `timestamp ${describeWord(cursor, end)} lies outside +-2^53 milliseconds`;
  return { reason: 'timestamp-out-of-range', message };
}
