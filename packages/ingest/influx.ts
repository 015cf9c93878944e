import type { Label } from '#model/series.ts';
import { copyText, type DecodeContext } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { parseFloatText, parseIntegerText } from './float-text.ts';
import { type InfluxPrecision, TEXT_FIELD } from './influx-protocol.ts';
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
} from './line-run.ts';
import { toLabelName, toMetricName } from './prometheus-names.ts';
import { quoteShort } from './rejections.ts';

export interface InfluxOptions extends LineOptions {
  readonly precision: InfluxPrecision;
  /** Keep measurements, fields and tags as they are spelled, instead of making them names that PromQL takes without quotes. */
  readonly keepUtf8Names?: boolean | undefined;
}

/** A measurement with its tags, and the series that its fields have turned out to be. */
interface Point {
  readonly measurement: string;
  readonly tags: readonly Label[];
  readonly tagCount: number;
  readonly seriesByField: Map<string, SeriesLookup>;
}

interface InfluxState {
  readonly run: LineRun;
  readonly options: InfluxOptions;
  readonly points: Map<string, Point>;
  /** Samples of the current line, kept only once all of it has been read. */
  readonly found: SeriesLookup[];
  readonly values: number[];
  textFields: number;
}

const SPACE = 32;
const COMMA = 44;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Decodes InfluxDB line protocol. Each field is a series named `<measurement>_<field>`, or `<measurement>` for a field called
 * `value`; tags are labels. Booleans are 1 and 0; fields of text are left out and counted as `text-field`. A point without
 * timestamp has the time of receipt; finer timestamps are cut to milliseconds. A line counts whole or not at all.
 */
export function decodeInflux(body: Uint8Array, context: DecodeContext, options: InfluxOptions): Decoded {
  const run = startLineRun(context, options);
  const state: InfluxState = { run, options, points: new Map(), found: [], values: [], textFields: 0 };
  readLines(body, run, (cursor) => {
    dropCarriageReturn(cursor);
    skipBlanks(cursor);
    if (cursor.at < cursor.end && cursor.text.charCodeAt(cursor.at) !== 35) readPoint(state, cursor);
  });
  return finishLineRun(run);
}

function readPoint(state: InfluxState, cursor: LineCursor): undefined {
  state.found.length = 0;
  state.values.length = 0;
  state.textFields = 0;
  const point = readSeriesPart(state, cursor);
  if (point === undefined) return;
  skipBlanks(cursor);
  if (!readFields(state, cursor, point)) return;
  const { run } = state;
  skipBlanks(cursor);
  let ts = run.context.nowMs;
  if (cursor.at === cursor.end) {
    run.stampedAtReceipt ||= state.values.length > 0;
  } else {
    const parsed = readTimestamp(cursor, state.options.precision);
    if (parsed === undefined) return;
    ts = parsed;
  }
  keepPoint(state, cursor, ts);
}

function keepPoint({ run, found, values, textFields }: InfluxState, cursor: LineCursor, ts: number): undefined {
  cursor.at = cursor.lineStart;
  if (textFields > 0)
    run.rejections.add(TEXT_FIELD, textFields, () => `line ${cursor.line}: a field of text is not a metric and was left out`);
  if (!Number.isSafeInteger(ts)) {
    const message = 'the timestamp lies outside +-2^53 milliseconds';
    return rejectSamples(run, cursor, { reason: 'timestamp-out-of-range', message }, values.length);
  }
  for (let i = 0; i < values.length; i++) {
    const lookup = found[i] as SeriesLookup;
    if (lookup.series) run.builder.add(lookup.series, ts, values[i] as number);
    else rejectSamples(run, cursor, lookup.rejection);
  }
}

/** Reads `measurement[,tag=value]*`; spelled as before in this body, it is not looked into again. */
function readSeriesPart(state: InfluxState, cursor: LineCursor): Point | undefined {
  const start = cursor.at;
  const end = findDelimiter(cursor, start, SPACE, SPACE);
  const text = cursor.text.slice(start, end);
  let point = state.points.get(text);
  if (point === undefined) {
    point = parseSeriesPart(state, cursor, end);
    if (point === undefined) return undefined;
    state.points.set(text, point);
  }
  cursor.at = end;
  return point;
}

function parseSeriesPart(state: InfluxState, cursor: LineCursor, end: number): Point | undefined {
  const { text } = cursor;
  const { maxLabels } = state.run.context.limits;
  const nameEnd = Math.min(end, findDelimiter(cursor, cursor.at, COMMA, COMMA));
  if (nameEnd === cursor.at) return setProblem(cursor, 'expected a measurement');
  const measurement = copyText(unescapePart(text.slice(cursor.at, nameEnd), false));
  const tags: Label[] = [];
  let tagCount = 0;
  for (cursor.at = nameEnd; cursor.at < end; ) {
    const keyStart = cursor.at + 1;
    const equals = findDelimiter(cursor, keyStart, EQUALS, COMMA);
    if (equals >= end || text.charCodeAt(equals) !== EQUALS) return setProblem(cursor, 'expected a tag as key=value', keyStart);
    if (equals === keyStart) return setProblem(cursor, 'a tag has no key', keyStart);
    const valueEnd = Math.min(end, findDelimiter(cursor, equals + 1, COMMA, EQUALS));
    if (valueEnd === equals + 1) return setProblem(cursor, 'a tag has no value', valueEnd);
    if (valueEnd < end && text.charCodeAt(valueEnd) === EQUALS)
      return setProblem(cursor, 'an "=" in a tag value must be escaped as "\\="', valueEnd);
    if (++tagCount <= maxLabels) tags.push(makeTag(state, text.slice(keyStart, equals), text.slice(equals + 1, valueEnd)));
    cursor.at = valueEnd;
  }
  return { measurement, tags, tagCount, seriesByField: new Map() };
}

function makeTag(state: InfluxState, key: string, value: string): Label {
  const name = unescapePart(key, true);
  return { name: state.options.keepUtf8Names ? copyText(name) : toLabelName(name), value: copyText(unescapePart(value, true)) };
}

/** Reads `field=value[,field=value]*` into the state; false where that is not what stands at the cursor. */
function readFields(state: InfluxState, cursor: LineCursor, point: Point): boolean {
  const { text, end } = cursor;
  if (cursor.at === end) return isNot(cursor, 'expected fields behind the measurement and tags');
  for (;;) {
    const keyStart = cursor.at;
    const equals = findDelimiter(cursor, keyStart, EQUALS, COMMA, SPACE);
    if (equals === end || text.charCodeAt(equals) !== EQUALS) return isNot(cursor, 'expected a field as key=value');
    if (equals === keyStart) return isNot(cursor, 'a field has no key');
    cursor.at = equals + 1;
    if (cursor.at < end && text.charCodeAt(cursor.at) === QUOTE) {
      if (!skipTextValue(cursor)) return false;
      state.textFields++;
    } else {
      const valueEnd = findValueEnd(cursor);
      const value = parseFieldValue(text, cursor.at, valueEnd);
      if (value === undefined) return isNot(cursor, describeBadValue(text.slice(cursor.at, valueEnd)));
      state.values.push(value);
      state.found.push(findSeries(state, point, text.slice(keyStart, equals)));
      cursor.at = valueEnd;
    }
    if (cursor.at === end || text.charCodeAt(cursor.at) === SPACE) return true;
    if (text.charCodeAt(cursor.at) !== COMMA)
      return isNot(cursor, `expected "," or a space behind a field, found ${quoteShort(text.charAt(cursor.at))}`);
    cursor.at++;
  }
}

function findSeries(state: InfluxState, point: Point, field: string): SeriesLookup {
  const known = point.seriesByField.get(field);
  if (known !== undefined) return known;
  const { context } = state.run;
  const { measurement } = point;
  const key = unescapePart(field, true);
  const spelled = key === 'value' ? measurement : `${measurement}_${key}`;
  const metric = state.options.keepUtf8Names ? spelled : toMetricName(spelled);
  const isOver = point.tagCount > context.limits.maxLabels;
  const labels = [{ name: '__name__', value: metric }, ...point.tags];
  const found = isOver ? tooManyLabels(point.tagCount, context.limits, metric) : context.intern(labels);
  point.seriesByField.set(field, found);
  return found;
}

/** Moves behind a value in quotes, in which only `\"` and `\\` are escapes. */
function skipTextValue(cursor: LineCursor): boolean {
  const { text, end } = cursor;
  for (let at = cursor.at + 1; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c === BACKSLASH) at++;
    else if (c === QUOTE) {
      cursor.at = at + 1;
      return true;
    }
  }
  return isNot(cursor, 'the quotes opened here are not closed on the line');
}

function parseFieldValue(text: string, start: number, end: number): number | undefined {
  if (start === end) return undefined;
  const last = text.charCodeAt(end - 1);
  if (last >= 48 && last <= 57) return parseFloatText(text, start, end);
  if (last === 105) return inRange(parseIntegerText(text, start, end - 1), -(2 ** 63), 2 ** 63);
  if (last === 117) return inRange(parseIntegerText(text, start, end - 1), 0, 2 ** 64);
  if (last === 46) return parseFloatText(text, start, end);
  return end - start <= 5 ? BOOLEANS.get(text.slice(start, end)) : undefined;
}

const BOOLEANS = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((word): [string, number] => [word, 1]),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((word): [string, number] => [word, 0]),
]);

function inRange(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

function describeBadValue(value: string): string {
  if (value === '') return 'a field has no value';
  return `${quoteShort(value)} is not a field value; accepted are numbers (1.5, 1i, 1u), true and false, and text in double quotes`;
}

/** Digits that make a timestamp finer than a millisecond, and milliseconds in the unit where it is coarser. */
const FINER_DIGITS: Readonly<Record<InfluxPrecision, number>> = { ns: 6, us: 3, ms: 0, s: 0, m: 0, h: 0 };
const UNIT_MS: Readonly<Record<InfluxPrecision, number>> = { ns: 1, us: 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The timestamp in milliseconds. What is finer is cut from its digits, for nanoseconds do not fit a double. */
function readTimestamp(cursor: LineCursor, precision: InfluxPrecision): number | undefined {
  const { text, at } = cursor;
  let { end } = cursor;
  while (end > at && text.charCodeAt(end - 1) === SPACE) end--;
  if (parseIntegerText(text, at, end) === undefined) {
    return setProblem(cursor, `expected a timestamp as a whole number, or the end of the line, found ${quoteShort(text.slice(at, end))}`);
  }
  const coarse = parseIntegerText(text, at, end - FINER_DIGITS[precision]);
  return coarse === undefined ? 0 : coarse * UNIT_MS[precision];
}

/** The first of the delimiters from `from` on that no backslash stands before, or the end of the line. */
function findDelimiter(cursor: LineCursor, from: number, a: number, b: number, c = b): number {
  const { text, end } = cursor;
  for (let at = from; at < end; at++) {
    const char = text.charCodeAt(at);
    if (char === BACKSLASH) {
      if (at + 1 < end && isEscapable(text.charCodeAt(at + 1))) at++;
    } else if (char === a || char === b || char === c) {
      return at;
    }
  }
  return end;
}

function findValueEnd({ text, at, end }: LineCursor): number {
  let to = at;
  while (to < end && text.charCodeAt(to) !== COMMA && text.charCodeAt(to) !== SPACE) to++;
  return to;
}

/** Resolves `\,` and `\ `, in keys and tags `\=` too; a backslash before anything else stands for itself. */
function unescapePart(text: string, equals: boolean): string {
  if (!text.includes('\\')) return text;
  return text.replace(equals ? /\\([,= ])/g : /\\([, ])/g, '$1');
}

function isEscapable(c: number): boolean {
  return c === COMMA || c === SPACE || c === EQUALS;
}

function isNot(cursor: LineCursor, message: string): false {
  setProblem(cursor, message);
  return false;
}
