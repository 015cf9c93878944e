import { describeChar, describeWord, scanLabelSet } from './exposition-labels.ts';
import { parseFloatText } from './float-text.ts';
import type { IngestLimits } from './limits.ts';
import { type LineCursor, setProblem, wordEnd } from './line-run.ts';

/** Most code points that the label names and values of one exemplar may have together. */
const MAX_EXEMPLAR_TEXT = 128;

/** What stands behind the series of a sample. */
export interface SampleTail {
  readonly value: number;
  readonly timestampS: number | undefined;
  readonly hasExemplar: boolean;
}

/** Reads ` value[ timestamp][ # {exemplar labels} value[ timestamp]]`. */
export function readTail(cursor: LineCursor, limits: IngestLimits): SampleTail | undefined {
  if (!takeSpace(cursor)) return undefined;
  const value = readNumber(cursor, 'a value');
  if (value === undefined) return undefined;
  let timestampS: number | undefined;
  if (cursor.at < cursor.end) {
    if (!takeSpace(cursor)) return undefined;
    if (cursor.text.charCodeAt(cursor.at) !== 35) {
      timestampS = readTimestamp(cursor);
      if (timestampS === undefined) return undefined;
      if (cursor.at === cursor.end) return { value, timestampS, hasExemplar: false };
      if (!takeSpace(cursor)) return undefined;
    }
    if (!readExemplar(cursor, limits)) return undefined;
    return { value, timestampS, hasExemplar: true };
  }
  return { value, timestampS, hasExemplar: false };
}

function readExemplar(cursor: LineCursor, limits: IngestLimits): boolean {
  if (!cursor.text.startsWith('# ', cursor.at)) {
    setProblem(cursor, `expected "# " and an exemplar, or the end of the line, found ${describeChar(cursor)}`);
    return false;
  }
  cursor.at += 2;
  const start = cursor.at;
  const scanned = scanLabelSet(cursor, limits.maxLabels, true);
  if (scanned === undefined) return false;
  const length = scanned.labels.reduce((sum, { name, value }) => sum + countCodePoints(name) + countCodePoints(value), 0);
  if (length > MAX_EXEMPLAR_TEXT || scanned.count > scanned.labels.length) {
    setProblem(cursor, `the labels of an exemplar may have ${MAX_EXEMPLAR_TEXT} characters together, not ${length}`, start);
    return false;
  }
  if (!takeSpace(cursor) || readNumber(cursor, "the exemplar's value") === undefined) return false;
  if (cursor.at === cursor.end) return true;
  return takeSpace(cursor) && readTimestamp(cursor) !== undefined && isLineEnd(cursor);
}

function readNumber(cursor: LineCursor, what: string): number | undefined {
  const end = wordEnd(cursor);
  const value = parseFloatText(cursor.text, cursor.at, end);
  if (value === undefined) return setProblem(cursor, `expected ${what}, found ${describeWord(cursor, end)}`);
  cursor.at = end;
  return value;
}

function readTimestamp(cursor: LineCursor): number | undefined {
  const end = wordEnd(cursor);
  const value = parseFloatText(cursor.text, cursor.at, end);
  if (value === undefined || !Number.isFinite(value))
    return setProblem(cursor, `expected a timestamp in seconds, found ${describeWord(cursor, end)}`);
  cursor.at = end;
  return value;
}

/** Moves past the one space that must stand at the cursor. */
export function takeSpace(cursor: LineCursor): boolean {
  if (cursor.at < cursor.end && cursor.text.charCodeAt(cursor.at) === 32) {
    cursor.at++;
    return true;
  }
  setProblem(cursor, `expected one space, found ${describeChar(cursor)}`);
  return false;
}

function isLineEnd(cursor: LineCursor): boolean {
  if (cursor.at < cursor.end) setProblem(cursor, `expected the end of the line, found ${describeChar(cursor)}`);
  return cursor.at === cursor.end;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
