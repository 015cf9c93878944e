import type { MatrixSeries } from '#query/query-result.ts';
import { addWarning } from './annotations.ts';
import type { Expr } from './ast.ts';
import { type Evaluation, type MatrixSelector, selectionOf } from './evaluation.ts';
import { interpolate } from './interpolate.ts';
import { removeNames } from './merge.ts';
import { pointsOfRow, type RangeSeries, readRange } from './range-input.ts';
import { evalSubqueryFrame } from './subqueries.ts';
import { withoutParens } from './value-types.ts';

/** The value of an instant query for a range vector: raw samples, or the points of a subquery. */
export async function evalRangeVector(evaluation: Evaluation, expr: Expr): Promise<MatrixSeries[]> {
  const inner = withoutParens(expr);
  if (inner.kind === 'matrixSelector') return readMatrix(evaluation, inner);
  if (inner.kind !== 'subquery') throw new TypeError(`the expression at ${expr.span.start} is no range vector`);
  const frame = removeNames(await evalSubqueryFrame(evaluation, inner));
  return frame.series.map((series, row) => {
    const { ts, value } = pointsOfRow(frame, row * frame.steps.count);
    return { series, ts, values: value, count: ts.length };
  });
}

function readMatrix(evaluation: Evaluation, selector: MatrixSelector): MatrixSeries[] {
  const { lookbackMs, pace } = evaluation;
  const selection = selectionOf(evaluation, selector.vector);
  if (selection.tier !== 'hot') {
    const text = `raw samples are asked for, but only ${selection.resolutionMs / 60_000} min aggregates of the ${selection.tier} tier are left for this range`;
    addWarning(evaluation.annotations, text, selector.span);
  }
  const input = readRange(evaluation, selector);
  const endMs = input.times[0] as number;
  const startMs = endMs - input.rangeMs;
  const result: MatrixSeries[] = [];
  for (const entry of input.entries) {
    const extended = input.anchored || input.smoothed;
    const from = firstAfter(entry.ts, extended ? startMs - lookbackMs : startMs);
    const end = firstAfter(entry.ts, input.smoothed ? endMs + lookbackMs : endMs);
    if (end === from) continue;
    const ts = entry.ts.subarray(from, end);
    const values = entry.value.subarray(from, end);
    const points = extended ? extendToEnds({ ...entry, ts, value: values }, startMs, endMs, input.smoothed) : { ts, values };
    if (points.ts.length === 0) continue;
    pace.hold(points.ts.length);
    result.push({ series: entry.series, ...points, count: points.ts.length });
  }
  return result;
}

function firstAfter(ts: Float64Array, time: number): number {
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ts[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The samples inside the range, and one at each of its ends: anchored to the samples before, or interpolated. */
function extendToEnds(
  { ts, value }: RangeSeries,
  startMs: number,
  endMs: number,
  smoothed: boolean,
): { ts: Float64Array; values: Float64Array } {
  let last = ts.length - 1;
  let first = Math.max(0, Math.min(firstAfter(ts, startMs), last) - 1);
  if (smoothed) last = Math.min(last, firstAtOrAfter(ts, endMs));
  if ((ts[last] as number) <= startMs) return { ts: new Float64Array(0), values: new Float64Array(0) };
  const left = smoothed && (ts[first] as number) < startMs ? interpolate(ts, value, first, startMs, false) : (value[first] as number);
  const right =
    smoothed && last > 0 && (ts[last] as number) > endMs ? interpolate(ts, value, last - 1, endMs, false) : (value[last] as number);
  if ((ts[first] as number) <= startMs) first++;
  if ((ts[last] as number) >= endMs) last--;
  const inner = last >= first ? { ts: ts.subarray(first, last + 1), value: value.subarray(first, last + 1) } : { ts: [], value: [] };
  return { ts: Float64Array.of(startMs, ...inner.ts, endMs), values: Float64Array.of(left, ...inner.value, right) };
}

function firstAtOrAfter(ts: Float64Array, time: number): number {
  return firstAfter(ts, time - 0.5);
}
