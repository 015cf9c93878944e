import { STALE } from '#model/samples.ts';
import type { Label } from '#model/series.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import {
  finishLineRun,
  type LineCursor,
  type LineOptions,
  type LineRun,
  readLines,
  rejectSamples,
  setProblem,
  startLineRun,
} from './line-run.ts';
import { quoteShort } from './rejections.ts';

/** Longest line, in UTF-16 units: parsing takes a multiple of it in memory. */
const MAX_LINE_LENGTH = 10 * 1024 * 1024;

const SPELLED_VALUES: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Inf: Number.POSITIVE_INFINITY,
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  Infinity: Number.POSITIVE_INFINITY,
  '+Infinity': Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

interface JsonLine {
  readonly labels: readonly Label[];
  readonly values: readonly unknown[];
  readonly timestamps: readonly unknown[];
}

/**
 * Decodes lines of `{"metric":{"__name__":"x","job":"y"},"values":[1,null],"timestamps":[1000,2000]}`, one series a line, as
 * VictoriaMetrics exports and imports them. Timestamps are whole milliseconds; a value is a number, null for a stale marker, or one
 * of the texts NaN, Inf, +Inf, -Inf. Other fields are ignored. A line that is not of this form is bad as a whole.
 */
export function decodeJsonLines(body: Uint8Array, context: DecodeContext, options: LineOptions = {}): Decoded {
  const run = startLineRun(context, options);
  readLines(body, run, (cursor) => {
    const line = readJsonLine(cursor);
    if (line !== undefined) keepLine(run, cursor, line);
  });
  return finishLineRun(run);
}

function readJsonLine(cursor: LineCursor): JsonLine | undefined {
  const { text, lineStart, end } = cursor;
  if (end - lineStart > MAX_LINE_LENGTH) return setProblem(cursor, `the line is longer than ${MAX_LINE_LENGTH} characters`);
  const line = text.slice(lineStart, end).trim();
  if (line === '') return undefined;
  const parsed = parseJson(cursor, line);
  if (parsed === undefined) return undefined;
  if (!isRecord(parsed)) return setProblem(cursor, 'expected an object with metric, values and timestamps');
  const { metric, values, timestamps } = parsed;
  const labels = readLabels(cursor, metric);
  if (labels === undefined) return undefined;
  if (!Array.isArray(values)) return setProblem(cursor, 'values must be an array');
  if (!Array.isArray(timestamps)) return setProblem(cursor, 'timestamps must be an array');
  if (values.length !== timestamps.length) {
    return setProblem(cursor, `values and timestamps must have the same length, not ${values.length} and ${timestamps.length}`);
  }
  return isReadable(cursor, values, timestamps) ? { labels, values, timestamps } : undefined;
}

function parseJson(cursor: LineCursor, line: string): unknown {
  try {
    const parsed: unknown = JSON.parse(line);
    return parsed ?? null;
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    return setProblem(cursor, `not valid JSON: ${message.slice(0, 200)}`, cursor.lineStart + Number(position ?? 0));
  }
}

function readLabels(cursor: LineCursor, metric: unknown): Label[] | undefined {
  if (!isRecord(metric)) return setProblem(cursor, 'metric must be an object of label names and values');
  const labels: Label[] = [];
  for (const name of Object.keys(metric)) {
    const value = metric[name];
    if (typeof value !== 'string') return setProblem(cursor, `the value of label ${quoteShort(name)} must be a string`);
    labels.push({ name, value });
  }
  return labels;
}

/** Checks all before anything is kept, so that a line counts whole or not at all. */
function isReadable(cursor: LineCursor, values: readonly unknown[], timestamps: readonly unknown[]): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const isValue =
      typeof value === 'number'
        ? Number.isFinite(value)
        : value === null || (typeof value === 'string' && Object.hasOwn(SPELLED_VALUES, value));
    if (!isValue) {
      setProblem(cursor, `values[${i}] must be a number within double range, null, "NaN", "Inf", "+Inf" or "-Inf"`);
      return false;
    }
    if (!Number.isInteger(timestamps[i])) {
      setProblem(cursor, `timestamps[${i}] must be a whole number of milliseconds`);
      return false;
    }
  }
  return true;
}

function keepLine(run: LineRun, cursor: LineCursor, { labels, values, timestamps }: JsonLine): void {
  const found = run.context.intern(labels);
  if (found.rejection) {
    rejectSamples(run, cursor, found.rejection, values.length);
    return;
  }
  let outOfRange = 0;
  for (let i = 0; i < values.length; i++) {
    const ts = timestamps[i] as number;
    const value = values[i];
    if (!Number.isSafeInteger(ts)) outOfRange++;
    else if (typeof value === 'number') run.builder.add(found.series, ts, value);
    else if (value === null) run.builder.add(found.series, ts, Number.NaN, STALE);
    else run.builder.add(found.series, ts, SPELLED_VALUES[value as string] as number);
  }
  if (outOfRange === 0) return;
  rejectSamples(run, cursor, { reason: 'timestamp-out-of-range', message: 'a timestamp lies outside +-2^53 milliseconds' }, outOfRange);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
