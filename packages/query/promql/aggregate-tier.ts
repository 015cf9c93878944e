import { aggregateFunctions } from '#model/aggregate-functions.ts';
import type { AggregateColumns } from '#model/samples.ts';
import type { Series } from '#model/series.ts';
import type { SelectResult } from '#ports/sample-source.ts';
import { addWarning } from './annotations.ts';
import type { Call, Evaluation, MatrixSelector } from './evaluation.ts';
import { chargeOf, commitRow, type Frame, newFrame, nextRow } from './frame.ts';
import { lookupTimes } from './steps.ts';
import { slideWindows } from './windows.ts';

type AggregateResult = Exclude<SelectResult, { tier: 'hot' }>;

/** Rows `from` to `end` exclusive of one series, for a window of `rangeMs` that ends at `endMs`. */
interface Window {
  readonly rows: AggregateColumns;
  readonly from: number;
  readonly end: number;
  readonly endMs: number;
  readonly rangeMs: number;
  readonly resolutionMs: number;
}

/**
 * A range function over aggregate rows instead of samples. A row belongs to the window in which its last sample lies, so
 * windows side by side share no row and miss none. NaN is no result.
 */
export async function evalAggregateRange(
  evaluation: Evaluation,
  call: Call,
  selector: MatrixSelector,
  selection: AggregateResult,
): Promise<Frame> {
  const { pace, steps } = evaluation;
  const compute = functions[call.func];
  if (!aggregateFunctions.has(call.func) || compute === undefined || selector.vector.anchored || selector.vector.smoothed) {
    warnOfTier(evaluation, call, selection);
    return newFrame(steps, 0);
  }
  const frame = newFrame(steps, selection.series.length);
  const times = lookupTimes(steps, selector.vector.modifiers);
  const lo = new Int32Array(steps.count);
  const hi = new Int32Array(steps.count);
  const keepsName = call.func === 'first_over_time' || call.func === 'last_over_time';
  for (const { series, aggregates } of selection.series) {
    slideWindows(aggregates.lastTs, times, selector.rangeMs, 0, lo, hi);
    const base = nextRow(frame);
    let points = 0;
    for (let i = 0; i < steps.count; i++) {
      const from = lo[i] as number;
      const end = hi[i] as number;
      if (end === from) continue;
      const endMs = times[i] as number;
      const value = compute({ rows: aggregates, from, end, endMs, rangeMs: selector.rangeMs, resolutionMs: selection.resolutionMs });
      if (value === undefined) continue;
      frame.values[base + i] = value;
      frame.present[base + i] = 1;
      points++;
    }
    commitRow(frame, series as Series, !keepsName, points);
    pace.hold(chargeOf(points, steps.count));
    if (pace.isTurnDue(steps.count + aggregates.ts.length)) await pace.yieldTurn();
  }
  return frame;
}

function warnOfTier(evaluation: Evaluation, call: Call, selection: AggregateResult): void {
  const minutes = selection.resolutionMs / 60_000;
  const text = `${call.func} is not defined on the ${minutes} min aggregates of the ${selection.tier} tier, and no raw samples are left for this range`;
  addWarning(evaluation.annotations, text, call.span);
}

const functions: Readonly<Record<string, (window: Window) => number | undefined>> = {
  rate: (window) => increaseOf(window, true),
  increase: (window) => increaseOf(window, false),
  sum_over_time: ({ rows, from, end }) => total(rows.sum, from, end),
  count_over_time: ({ rows, from, end }) => total(rows.count, from, end),
  avg_over_time: ({ rows, from, end }) => total(rows.sum, from, end) / total(rows.count, from, end),
  min_over_time: ({ rows, from, end }) => extreme(rows.min, from, end, -1),
  max_over_time: ({ rows, from, end }) => extreme(rows.max, from, end, 1),
  first_over_time: ({ rows, from }) => rows.first[from],
  last_over_time: ({ rows, end }) => rows.last[end - 1],
  present_over_time: () => 1,
  absent_over_time: () => 1,
};

/**
 * Growth inside the rows plus the steps between them, resets put right, extrapolated to the window as from samples; the end
 * of a row that is not complete yet, up to one resolution, counts as close enough. Delta series are summed.
 */
function increaseOf({ rows, from, end, endMs, rangeMs, resolutionMs }: Window, isRate: boolean): number | undefined {
  const { increase, first, last, firstTs, lastTs, count, sum, delta } = rows;
  let grown = 0;
  let deltas = 0;
  for (let k = from; k < end; k++) {
    if (delta?.[k] === 1) {
      deltas++;
      grown += sum[k] as number;
      continue;
    }
    grown += increase[k] as number;
    if (k === from || delta?.[k - 1] === 1) continue;
    const step = (first[k] as number) - (last[k - 1] as number);
    grown += step < 0 ? (first[k] as number) : step;
  }
  if (deltas > 0) return isRate ? grown / (rangeMs / 1000) : grown;
  const samples = total(count, from, end);
  if (samples < 2) return undefined;
  const startMs = endMs - rangeMs;
  const sampled = (lastTs[end - 1] as number) - (firstTs[from] as number);
  if (sampled <= 0) return undefined;
  const meanDistance = sampled / (samples - 1);
  const threshold = Math.max(meanDistance, resolutionMs) * 1.1;
  let toStart = (firstTs[from] as number) - startMs;
  let toEnd = endMs - (lastTs[end - 1] as number);
  if (toStart >= threshold) toStart = meanDistance / 2;
  if (toEnd >= threshold) toEnd = meanDistance / 2;
  if (grown > 0 && (first[from] as number) >= 0) toStart = Math.min(toStart, sampled * ((first[from] as number) / grown));
  const extrapolated = grown * ((sampled + toStart + toEnd) / sampled);
  return isRate ? extrapolated / (rangeMs / 1000) : extrapolated;
}

function total(column: Float64Array, from: number, end: number): number {
  let sum = 0;
  let rest = 0;
  for (let k = from; k < end; k++) {
    const added = column[k] as number;
    const next = sum + added;
    rest += Math.abs(sum) >= Math.abs(added) ? sum - next + added : added - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}

function extreme(column: Float64Array, from: number, end: number, sign: number): number {
  let best = column[from] as number;
  for (let k = from + 1; k < end; k++) {
    const x = column[k] as number;
    if (Number.isNaN(best) || sign * x > sign * best) best = x;
  }
  return best;
}
