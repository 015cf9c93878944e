import type { Label } from '#model/series.ts';
import { type LineCursor, setProblem, skipBlanks } from './line-run.ts';
import { quoteShort } from './rejections.ts';

/** The labels of one sample, `__name__` among them once there is a name. */
export interface ScannedLabels {
  readonly labels: readonly Label[];
  /** Labels met beside the name; more than `labels` holds where the scanner stopped collecting. */
  readonly count: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

const NAME_START = 1;
const NAME_PART = 2;
/** Which ASCII characters may stand in a name without quotes; a colon only in metric names. */
const charClass = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const char = String.fromCharCode(c);
  if (/[A-Za-z_:]/.test(char)) charClass[c] = NAME_START | NAME_PART;
  else if (/[0-9]/.test(char)) charClass[c] = NAME_PART;
}

/**
 * Reads `name{label="value",...}`, `{"name", ...}` or `name` at the cursor and leaves it behind. `strict` is OpenMetrics: no blanks
 * and no comma after the last label. Labels past `maxLabels` are checked and counted, not collected. Linear in the line.
 */
export function scanSeries(cursor: LineCursor, maxLabels: number, strict: boolean): ScannedLabels | undefined {
  const labels: Label[] = [];
  let hasName = false;
  if (!isAt(cursor, OPEN)) {
    const name = scanBareName(cursor, true);
    if (name === undefined) return undefined;
    labels.push({ name: '__name__', value: name });
    hasName = true;
    const behindName = cursor.at;
    if (!strict) skipBlanks(cursor);
    if (!isAt(cursor, OPEN)) {
      cursor.at = behindName;
      return { labels, count: 0 };
    }
  }
  return scanBraces(cursor, labels, hasName, maxLabels, strict);
}

/**
 * Where the name and braces at the cursor end, found without looking closer: the same place that `scanSeries` stops at if it
 * finds nothing wrong, so that the text up to there can stand for the series. -1 where quotes or braces stay open.
 */
export function findSeriesEnd(cursor: LineCursor): number {
  const { text, end } = cursor;
  let at = cursor.at;
  for (; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c >= 128 || charClass[c] === 0) break;
  }
  const behindName = at;
  while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  if (at >= end || text.charCodeAt(at) !== OPEN) return behindName;
  let quoted = false;
  for (at++; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) quoted = !quoted;
    else if (quoted) at += c === BACKSLASH ? 1 : 0;
    else if (c === CLOSE) return at + 1;
  }
  return -1;
}

/** Reads `{label="value",...}` at the cursor, as exemplars have it. */
export function scanLabelSet(cursor: LineCursor, maxLabels: number, strict: boolean): ScannedLabels | undefined {
  if (!isAt(cursor, OPEN)) return setProblem(cursor, `expected "{", found ${describeChar(cursor)}`);
  return scanBraces(cursor, [], undefined, maxLabels, strict);
}

/** Reads a metric name, bare or in quotes. */
export function scanMetricName(cursor: LineCursor): string | undefined {
  return isAt(cursor, QUOTE) ? scanQuoted(cursor) : scanBareName(cursor, true);
}

/** What stands at the cursor, for messages. */
export function describeChar(cursor: LineCursor): string {
  if (cursor.at >= cursor.end) return 'the end of the line';
  return JSON.stringify(String.fromCodePoint(cursor.text.codePointAt(cursor.at) as number));
}

/** What stands from the cursor to `end`, for messages. */
export function describeWord(cursor: LineCursor, end: number): string {
  return end <= cursor.at ? describeChar(cursor) : quoteShort(cursor.text.slice(cursor.at, end));
}

/** `hasName`: whether a name has been read; undefined where there is none to read. */
function scanBraces(
  cursor: LineCursor,
  labels: Label[],
  hasName: boolean | undefined,
  maxLabels: number,
  strict: boolean,
): ScannedLabels | undefined {
  let named = hasName;
  let count = 0;
  cursor.at++;
  for (let first = true; ; first = false) {
    if (!strict) skipBlanks(cursor);
    if (isAt(cursor, CLOSE) && (first || !strict)) break;
    const at = cursor.at;
    const quoted = isAt(cursor, QUOTE);
    const name = quoted ? scanQuoted(cursor) : scanBareName(cursor, false);
    if (name === undefined) return undefined;
    if (name === '') return setProblem(cursor, 'a name is empty', at);
    if (!strict) skipBlanks(cursor);
    if (isAt(cursor, 61)) {
      cursor.at++;
      if (!strict) skipBlanks(cursor);
      if (!isAt(cursor, QUOTE))
        return setProblem(cursor, `expected the value of label ${quoteShort(name)} in quotes, found ${describeChar(cursor)}`);
      const value = scanQuoted(cursor);
      if (value === undefined) return undefined;
      if (name !== '__name__') count++;
      if (labels.length <= maxLabels || name === '__name__') labels.push({ name, value });
    } else {
      if (!quoted || named === undefined)
        return setProblem(cursor, `expected "=" after label name ${quoteShort(name)}, found ${describeChar(cursor)}`);
      if (named) return setProblem(cursor, 'the metric name is given twice', at);
      labels.push({ name: '__name__', value: name });
      named = true;
    }
    if (!strict) skipBlanks(cursor);
    if (isAt(cursor, CLOSE)) break;
    if (!isAt(cursor, 44)) return setProblem(cursor, `expected "," or "}", found ${describeChar(cursor)}`);
    cursor.at++;
  }
  cursor.at++;
  return hasSoundNames(cursor, labels, named) ? { labels, count } : undefined;
}

function hasSoundNames(cursor: LineCursor, labels: readonly Label[], named: boolean | undefined): boolean {
  const names = new Set<string>();
  for (const { name, value } of labels) {
    if (names.has(name))
      setProblem(cursor, name === '__name__' ? 'the metric name is given twice' : `label ${quoteShort(name)} is given twice`);
    if (name === '__name__' && value === '') setProblem(cursor, 'the metric name is empty');
    names.add(name);
  }
  if (named === false && !names.has('__name__')) setProblem(cursor, 'the sample has no metric name');
  return cursor.problem === undefined;
}

function scanBareName(cursor: LineCursor, isMetric: boolean): string | undefined {
  const { text, at: start, end } = cursor;
  let at = start;
  let wanted = NAME_START;
  for (; at < end; at++, wanted = NAME_PART) {
    const c = text.charCodeAt(at);
    if (c >= 128 || ((charClass[c] as number) & wanted) === 0 || (c === 58 && !isMetric)) break;
  }
  if (at === start) return setProblem(cursor, `expected a ${isMetric ? 'metric' : 'label'} name, found ${describeChar(cursor)}`);
  cursor.at = at;
  return text.slice(start, at);
}

function scanQuoted(cursor: LineCursor): string | undefined {
  const { text, at: opening, end } = cursor;
  let escaped = false;
  for (let at = opening + 1; at < end; at++) {
    const c = text.charCodeAt(at);
    if (c === BACKSLASH) {
      escaped = true;
      at++;
    } else if (c === QUOTE) {
      cursor.at = at + 1;
      const inner = text.slice(opening + 1, at);
      return escaped ? unescapeText(inner) : inner;
    }
  }
  return setProblem(cursor, 'the quotes opened here are not closed on the line', opening);
}

/** Resolves `\\`, `\n` and, unless told otherwise, `\"`; a backslash before anything else stands for itself. */
export function unescapeText(text: string, quotes = true): string {
  let result = '';
  let from = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', from)) {
    const next = text[at + 1];
    const meant = next === 'n' ? '\n' : next === '\\' || (next === '"' && quotes) ? next : undefined;
    result += text.slice(from, at) + (meant ?? '\\');
    from = at + (meant === undefined ? 1 : 2);
  }
  return result + text.slice(from);
}

function isAt(cursor: LineCursor, char: number): boolean {
  return cursor.at < cursor.end && cursor.text.charCodeAt(cursor.at) === char;
}
