import type { Series } from '#model/series.ts';
import type { Span } from './ast.ts';
import { type Evaluation, type MatrixSelector, type Subquery, selectionOf } from './evaluation.ts';
import type { Frame } from './frame.ts';
import { lookupTimes } from './steps.ts';
import { withoutStale } from './without-stale.ts';

/** One series of a range vector, free of stale markers. */
export interface RangeSeries {
  readonly series: Series;
  readonly dropName: boolean;
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly startTs: Float64Array | undefined;
  readonly delta: Uint8Array | undefined;
}

/** A range vector: at step i the samples in (times[i] - rangeMs, times[i]]. */
export interface RangeInput {
  readonly entries: readonly RangeSeries[];
  readonly times: Float64Array;
  readonly rangeMs: number;
  readonly span: Span;
  readonly anchored: boolean;
  readonly smoothed: boolean;
}

/** The raw samples behind a matrix selector. */
export function readRange(evaluation: Evaluation, selector: MatrixSelector): RangeInput {
  const selection = selectionOf(evaluation, selector.vector);
  const { anchored, smoothed, modifiers } = selector.vector;
  const entries =
    selection.tier !== 'hot'
      ? []
      : selection.series.map(({ series, samples }): RangeSeries => {
          const { ts, value, startTs, delta } = withoutStale(samples);
          return { series, dropName: false, ts, value, startTs, delta };
        });
  return { entries, times: lookupTimes(evaluation.steps, modifiers), rangeMs: selector.rangeMs, span: selector.span, anchored, smoothed };
}

/** The points that a subquery's expression gave, as samples. */
export function rangeOfSubquery(evaluation: Evaluation, subquery: Subquery, inner: Frame): RangeInput {
  const n = inner.steps.count;
  const entries = inner.series.map((series, row): RangeSeries => {
    const { ts, value } = pointsOfRow(inner, row * n);
    return { series, dropName: inner.dropName[row] as boolean, ts, value, startTs: undefined, delta: undefined };
  });
  const times = lookupTimes(evaluation.steps, subquery.modifiers);
  return { entries, times, rangeMs: subquery.rangeMs, span: subquery.span, anchored: false, smoothed: false };
}

/** Times and values of the points of the row that begins at `base`; views where it has no gap. */
export function pointsOfRow(frame: Frame, base: number): { ts: Float64Array; value: Float64Array } {
  const { present, values, steps } = frame;
  const n = steps.count;
  let points = 0;
  for (let i = 0; i < n; i++) points += present[base + i] as number;
  if (points === n) return { ts: steps.times, value: values.subarray(base, base + n) };
  const ts = new Float64Array(points);
  const value = new Float64Array(points);
  let at = 0;
  for (let i = 0; i < n; i++) {
    if (present[base + i] !== 1) continue;
    ts[at] = steps.times[i] as number;
    value[at++] = values[base + i] as number;
  }
  return { ts, value };
}
