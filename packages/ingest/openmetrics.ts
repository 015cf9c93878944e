import { OpsError } from '#core/errors.ts';
import type { Label, Series } from '#model/series.ts';
import { copyText, type DecodeContext, internSlices } from './decode-context.ts';
import type { Decoded } from './decoded.ts';
import { findSeriesEnd, scanMetricName, scanSeries, unescapeText } from './exposition-labels.ts';
import { type SeriesLookup, tooManyLabels } from './label-rules.ts';
import { finishLineRun, type LineCursor, type LineRun, readLines, rejectSamples, setProblem, startLineRun } from './line-run.ts';
import {
  checkSample,
  closeFamily,
  type Family,
  groupKey,
  isCumulative,
  namesOf,
  openMetricsTypes,
  placeSample,
  startFamily,
  suffixOf,
} from './openmetrics-family.ts';
import { readTail, type SampleTail, takeSpace } from './openmetrics-sample.ts';
import { quoteShort } from './rejections.ts';

interface SpelledSeries {
  readonly name: string;
  readonly labels: readonly Label[];
  readonly lookup: SeriesLookup;
  /** Found once: a name is of one family only. */
  groupKey: string | undefined;
}

interface PendingSample {
  readonly series: Series;
  readonly ts: number;
  readonly value: number;
  readonly isCumulative: boolean;
}

interface OpenMetricsState {
  readonly run: LineRun;
  readonly seriesByText: Map<string, SpelledSeries>;
  readonly takenNames: Set<string>;
  family: Family | undefined;
  /** Samples of the current group since its last `_created` line. */
  pending: PendingSample[];
  createdMs: number;
  isEnded: boolean;
}

/** True for the content type `application/openmetrics-text`, whatever its parameters. */
export function isOpenMetrics(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/openmetrics-text';
}

/**
 * Decodes OpenMetrics 1.0 text, held to the whole specification: anything amiss fails the body with `input`, naming the line.
 * Timestamps are seconds, rounded to milliseconds; a `_created` line becomes the start of its metric's samples and no series of
 * its own; exemplars are counted. A series that stands twice at one time keeps its first sample. Metadata is filed under the
 * name that samples have (`_total`, `_info`). Names in quotes are taken as Prometheus 3 writes them.
 */
export function decodeOpenMetrics(body: Uint8Array, context: DecodeContext): Decoded {
  const run = startLineRun(context, {});
  const state: OpenMetricsState = {
    run,
    seriesByText: new Map(),
    takenNames: new Set(),
    family: undefined,
    pending: [],
    createdMs: Number.NaN,
    isEnded: false,
  };
  let lines = 0;
  readLines(body, run, (cursor) => {
    lines = cursor.line;
    readLine(state, cursor);
  });
  if (!state.isEnded) throw new OpsError('input', `line ${lines + 1}, column 1: the text must end in a line "# EOF"`);
  return finishLineRun(run);
}

function readLine(state: OpenMetricsState, cursor: LineCursor): undefined {
  const { text, at, end } = cursor;
  if (state.isEnded) return setProblem(cursor, 'nothing may follow "# EOF"');
  if (at === end) return setProblem(cursor, 'blank lines are not allowed');
  if (text.charCodeAt(at) !== 35) return readSample(state, cursor);
  if (end - at === 5 && text.startsWith('# EOF', at)) {
    state.isEnded = true;
    return endFamily(state, cursor);
  }
  readMetadata(state, cursor);
}

function readMetadata(state: OpenMetricsState, cursor: LineCursor): undefined {
  const { text, at } = cursor;
  const field = text.startsWith('# HELP ', at)
    ? 'help'
    : text.startsWith('# TYPE ', at)
      ? 'type'
      : text.startsWith('# UNIT ', at)
        ? 'unit'
        : undefined;
  if (field === undefined) return setProblem(cursor, 'a line that begins with "#" must be "# HELP ", "# TYPE ", "# UNIT " or "# EOF"');
  cursor.at += 7;
  const name = scanMetricName(cursor);
  if (name === undefined || !takeSpace(cursor)) return;
  const family = state.family?.name === name ? state.family : startNextFamily(state, cursor, name);
  if (family === undefined) return;
  if (family.hasSamples) return setProblem(cursor, `metadata of ${name} must stand before its samples`);
  if (family[field] !== undefined) return setProblem(cursor, `${name} has a second "# ${field.toUpperCase()}" line`);
  const rest = text.slice(cursor.at, cursor.end);
  if (field === 'type' && !openMetricsTypes.includes(rest)) {
    return setProblem(cursor, `${quoteShort(rest)} is not a metric type; accepted are ${openMetricsTypes.join(', ')}`);
  }
  family[field] = field === 'help' ? unescapeText(rest) : rest;
}

function readSample(state: OpenMetricsState, cursor: LineCursor): undefined {
  const spelled = readSeries(state, cursor);
  if (spelled === undefined) return;
  const tail = readTail(cursor, state.run.context.limits);
  if (tail === undefined) return;
  const { name, labels, lookup } = spelled;
  cursor.at = cursor.lineStart;
  const open = state.family;
  const family = open !== undefined && suffixOf(open, name) !== undefined ? open : startNextFamily(state, cursor, name);
  if (family === undefined) return;
  family.hasSamples = true;
  const suffix = suffixOf(family, name) as string;
  spelled.groupKey ??= groupKey(family, suffix, labels);
  const { value, timestampS, hasExemplar } = tail;
  const sample = { name, labels, groupKey: spelled.groupKey, series: lookup.series, value, timestampS, hasExemplar };
  const problem = checkSample(family, suffix, sample);
  if (problem !== undefined) return setProblem(cursor, problem);
  const group = family.group;
  const placed = placeSample(family, suffix, sample);
  if (placed.problem !== undefined) return setProblem(cursor, placed.problem);
  if (family.group !== group) flushGroup(state);
  if (placed.duplicate)
    return rejectSamples(state.run, cursor, { reason: 'duplicate-sample', message: `${name} stands twice at one time` });
  if (lookup.rejection) return rejectSamples(state.run, cursor, lookup.rejection);
  keepSample(state, cursor, family, suffix, lookup.series, tail);
}

function keepSample(
  state: OpenMetricsState,
  cursor: LineCursor,
  family: Family,
  suffix: string,
  series: Series,
  tail: SampleTail,
): undefined {
  const { run } = state;
  if (suffix === '_created') {
    const createdMs = Math.round(tail.value * 1000);
    if (Number.isSafeInteger(createdMs)) state.createdMs = createdMs;
    return;
  }
  if (tail.hasExemplar) run.exemplars++;
  if (tail.timestampS === undefined) run.stampedAtReceipt = true;
  const ts = tail.timestampS === undefined ? run.context.nowMs : Math.round(tail.timestampS * 1000);
  if (!Number.isSafeInteger(ts)) {
    const message = `timestamp ${tail.timestampS} lies outside +-2^53 milliseconds`;
    return rejectSamples(run, cursor, { reason: 'timestamp-out-of-range', message });
  }
  state.pending.push({ series, ts, value: tail.value, isCumulative: isCumulative(family, suffix) });
}

/** Hands over the samples of a group, whose `_created` line may have been its last. */
function flushGroup(state: OpenMetricsState): void {
  const { builder } = state.run;
  for (const sample of state.pending)
    builder.add(sample.series, sample.ts, sample.value, 0, sample.isCumulative ? state.createdMs : Number.NaN);
  state.pending = [];
  state.createdMs = Number.NaN;
}

/** Ends the current family and begins the one of this name; undefined where either may not be. */
function startNextFamily(state: OpenMetricsState, cursor: LineCursor, name: string): Family | undefined {
  endFamily(state, cursor);
  if (cursor.problem !== undefined) return undefined;
  if (state.takenNames.has(name))
    return setProblem(cursor, `${name} belongs to a family that has ended: the lines of a family must stand together`);
  state.family = startFamily(name);
  return state.family;
}

function endFamily(state: OpenMetricsState, cursor: LineCursor): undefined {
  const { family, takenNames, run } = state;
  if (family === undefined) return;
  const problem = closeFamily(family);
  if (problem !== undefined) return setProblem(cursor, problem);
  flushGroup(state);
  for (const name of namesOf(family)) {
    if (takenNames.has(name)) return setProblem(cursor, `family ${family.name} would have samples named ${name}, a name that is taken`);
    takenNames.add(name);
  }
  state.family = undefined;
  const { type = 'unknown', help = '', unit = '' } = family;
  if (family.type === undefined && help === '' && unit === '') return;
  const metric = copyText(family.name + (type === 'counter' ? '_total' : type === 'info' ? '_info' : ''));
  run.metadata.set(metric, { metric, type, help: copyText(help.slice(0, run.context.limits.maxValueBytes)), unit: copyText(unit) });
}

function readSeries(state: OpenMetricsState, cursor: LineCursor): SpelledSeries | undefined {
  const end = findSeriesEnd(cursor);
  const text = end < 0 ? '' : cursor.text.slice(cursor.at, end);
  const known = state.seriesByText.get(text);
  if (known !== undefined) {
    cursor.at = end;
    return known;
  }
  const { context } = state.run;
  const { limits } = context;
  const scanned = scanSeries(cursor, limits.maxLabels, true);
  if (scanned === undefined) return undefined;
  const { labels, count } = scanned;
  const name = labels.find((label) => label.name === '__name__')?.value as string;
  const lookup = count > limits.maxLabels ? tooManyLabels(count, limits, name) : internSlices(context, labels);
  const spelled: SpelledSeries = { name, labels, lookup, groupKey: undefined };
  if (cursor.at === end) state.seriesByText.set(text, spelled);
  return spelled;
}
