import type { Series } from '#model/series.ts';
import type { Span } from './ast.ts';
import type { Evaluation } from './evaluation.ts';

/**
 * One series under a range function. The window of step i holds the samples `lo[i]` to `hi[i]` exclusive, which are those
 * in (times[i] - rangeMs, times[i]]. A function writes its value for step i at `base + i` of `values` and `present`.
 */
export interface Windows {
  readonly evaluation: Evaluation;
  readonly rangeMs: number;
  readonly times: Float64Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** The scalar arguments, by step. */
  readonly params: readonly Float64Array[];
  /** Place of each argument in the query. */
  readonly argSpans: readonly Span[];
  /** Place of the range vector. */
  readonly span: Span;
  readonly lookbackMs: number;
  readonly smoothed: boolean;
  series: Series;
  ts: Float64Array;
  value: Float64Array;
  startTs: Float64Array | undefined;
  delta: Uint8Array | undefined;
  values: Float64Array;
  present: Uint8Array;
  base: number;
}

/** Fills `lo` and `hi` for windows that end at `times` (ascending) and are `beforeMs` wide to the left and `afterMs` to the right. */
export function slideWindows(
  ts: Float64Array,
  times: Float64Array,
  beforeMs: number,
  afterMs: number,
  lo: Int32Array,
  hi: Int32Array,
): void {
  const length = ts.length;
  let from = 0;
  let to = 0;
  for (let i = 0; i < times.length; i++) {
    const end = (times[i] as number) + afterMs;
    const start = (times[i] as number) - beforeMs;
    while (to < length && (ts[to] as number) <= end) to++;
    while (from < to && (ts[from] as number) <= start) from++;
    lo[i] = from;
    hi[i] = to;
  }
}
