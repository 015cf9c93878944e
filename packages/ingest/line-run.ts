import { isUtf8 } from 'node:buffer';
import { OpsError } from '#core/errors.ts';
import type { MetricMetadata } from '#ports/sample-source.ts';
import { BatchBuilder } from './batch-builder.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { createRejectionList, type RejectionList, type SeriesRejection } from './rejections.ts';

/** A line of which something was left out. Lines and columns count from 1, columns in UTF-16 units. */
export interface RejectedLine {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface LineOptions {
  /** A line that cannot be read fails the whole body with `input` (the default), or is left out and counted. */
  readonly onBadLine?: 'fail' | 'reject' | undefined;
  /** Number of the body's first line; 1 unless the body is a piece of something larger. */
  readonly firstLine?: number | undefined;
  /** Told of every line of which something is left out, in order. */
  readonly onRejectedLine?: ((rejected: RejectedLine) => void) | undefined;
}

/** A place in the current line of a text. Scanners move `at`, never past `end`, and set `problem` where the line makes no sense. */
export interface LineCursor {
  readonly text: string;
  line: number;
  lineStart: number;
  /** Before the line feed. */
  end: number;
  at: number;
  problem: string | undefined;
}

/** What decoding a body of lines has gathered so far. */
export interface LineRun {
  readonly context: DecodeContext;
  readonly options: LineOptions;
  readonly builder: BatchBuilder;
  readonly rejections: RejectionList;
  readonly metadata: Map<string, MetricMetadata>;
  exemplars: number;
  stampedAtReceipt: boolean;
}

/** A run that has seen nothing yet. */
export function startLineRun(context: DecodeContext, options: LineOptions): LineRun {
  return {
    context,
    options,
    builder: new BatchBuilder(),
    rejections: createRejectionList(),
    metadata: new Map(),
    exemplars: 0,
    stampedAtReceipt: false,
  };
}

/** What a run amounts to; the run must not be used afterwards. */
export function finishLineRun(run: LineRun): Decoded {
  return {
    batch: run.builder.finish(),
    metadata: [...run.metadata.values()],
    rejections: run.rejections.finish(),
    exemplars: run.exemplars,
    stampedAtReceipt: run.stampedAtReceipt,
  };
}

/** Calls `readLine` for each line of the body, without its line feed; lines that are not UTF-8, or left with a problem, fail the body or are rejected. */
export function readLines(body: Uint8Array, run: LineRun, readLine: (cursor: LineCursor) => void): void {
  const text = new TextDecoder().decode(body);
  const notUtf8 = isUtf8(body) ? undefined : findLinesNotUtf8(body);
  const cursor: LineCursor = { text, line: run.options.firstLine ?? 1, lineStart: 0, end: 0, at: 0, problem: undefined };
  for (let index = 0, start = 0; start < text.length; index++, cursor.line++) {
    const newline = text.indexOf('\n', start);
    cursor.lineStart = start;
    cursor.at = start;
    cursor.end = newline < 0 ? text.length : newline;
    cursor.problem = undefined;
    if (notUtf8?.has(index)) cursor.problem = 'the line is not valid UTF-8';
    else readLine(cursor);
    if (cursor.problem !== undefined) rejectBadLine(run, cursor, cursor.problem);
    start = newline < 0 ? text.length : newline + 1;
  }
}

/** Marks the line as unreadable at `at`. Returns undefined, for scanners to hand on. */
export function setProblem(cursor: LineCursor, message: string, at = cursor.at): undefined {
  cursor.problem = message;
  cursor.at = at;
}

/** Leaves `count` samples of a readable line out for a reason of their own. */
export function rejectSamples(run: LineRun, cursor: LineCursor, rejection: SeriesRejection, count = 1): undefined {
  run.rejections.add(rejection.reason, count, () => withPlace(cursor, rejection.message));
  run.options.onRejectedLine?.({ line: cursor.line, column: cursor.at - cursor.lineStart + 1, message: rejection.message });
}

/** The error that a whole body fails with, for its place. */
function lineError(cursor: LineCursor, message: string): OpsError {
  return new OpsError('input', withPlace(cursor, message));
}

/** Lets the line end before a carriage return, for formats that people write on Windows. */
export function dropCarriageReturn(cursor: LineCursor): void {
  if (cursor.end > cursor.lineStart && cursor.text.charCodeAt(cursor.end - 1) === 13) cursor.end--;
}

/** Moves past spaces and tabs. */
export function skipBlanks(cursor: LineCursor): void {
  while (cursor.at < cursor.end && isBlank(cursor.text.charCodeAt(cursor.at))) cursor.at++;
}

/** The end of the run of characters other than space and tab that starts at the cursor. */
export function wordEnd(cursor: LineCursor): number {
  let at = cursor.at;
  while (at < cursor.end && !isBlank(cursor.text.charCodeAt(at))) at++;
  return at;
}

function withPlace(cursor: LineCursor, message: string): string {
  return `line ${cursor.line}, column ${cursor.at - cursor.lineStart + 1}: ${message}`;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

function rejectBadLine(run: LineRun, cursor: LineCursor, message: string): void {
  if (run.options.onBadLine !== 'reject') throw lineError(cursor, message);
  rejectSamples(run, cursor, { reason: 'malformed-line', message });
}

function findLinesNotUtf8(body: Uint8Array): Set<number> {
  const found = new Set<number>();
  for (let index = 0, start = 0; start < body.length; index++) {
    const newline = body.indexOf(10, start);
    const end = newline < 0 ? body.length : newline;
    if (!isUtf8(body.subarray(start, end))) found.add(index);
    start = end + 1;
  }
  return found;
}
