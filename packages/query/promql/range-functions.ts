import type { Series } from '#model/series.ts';
import { executionError } from '#query/query-errors.ts';
import { addInfo } from './annotations.ts';
import type { Call, Evaluation } from './evaluation.ts';
import { fillExtendedDelta, fillExtendedIncrease, fillExtendedRate } from './extended-rate.ts';
import { fillMaximum, fillMinimum, fillTimeOfMaximum, fillTimeOfMinimum } from './extremes.ts';
import { chargeOf, commitRow, type Frame, newFrame, nextRow } from './frame.ts';
import {
  fillAverage,
  fillChanges,
  fillCount,
  fillDeviation,
  fillFirst,
  fillLast,
  fillPresent,
  fillSum,
  fillTimeOfFirst,
  fillTimeOfLast,
  fillVariance,
} from './over-time.ts';
import { fillMedianDeviation, fillQuantile } from './quantile-over-time.ts';
import { quoteText } from './quote.ts';
import type { RangeInput } from './range-input.ts';
import { fillDelta, fillIncrease, fillInstantDelta, fillInstantRate, fillRate } from './rate.ts';
import { fillPrediction, fillSlope, fillSmoothing } from './regression.ts';
import { fillResets } from './resets.ts';
import { slideWindows, type Windows } from './windows.ts';

type Fill = (windows: Windows) => number;

const fills: Readonly<Record<string, Fill>> = {
  absent_over_time: fillPresent,
  avg_over_time: fillAverage,
  changes: fillChanges,
  count_over_time: fillCount,
  delta: fillDelta,
  deriv: fillSlope,
  double_exponential_smoothing: fillSmoothing,
  first_over_time: fillFirst,
  idelta: fillInstantDelta,
  increase: fillIncrease,
  irate: fillInstantRate,
  last_over_time: fillLast,
  mad_over_time: fillMedianDeviation,
  max_over_time: fillMaximum,
  min_over_time: fillMinimum,
  predict_linear: fillPrediction,
  present_over_time: fillPresent,
  quantile_over_time: fillQuantile,
  rate: fillRate,
  resets: fillResets,
  stddev_over_time: fillDeviation,
  stdvar_over_time: fillVariance,
  sum_over_time: fillSum,
  ts_of_first_over_time: fillTimeOfFirst,
  ts_of_last_over_time: fillTimeOfLast,
  ts_of_max_over_time: fillTimeOfMaximum,
  ts_of_min_over_time: fillTimeOfMinimum,
};

const anchoredFills: Readonly<Record<string, Fill>> = {
  changes: fillChanges,
  delta: fillExtendedDelta,
  increase: fillExtendedIncrease,
  rate: fillExtendedRate,
  resets: fillResets,
};

const smoothedFills: Readonly<Record<string, Fill>> = { delta: fillExtendedDelta, increase: fillExtendedIncrease, rate: fillExtendedRate };

const usesStartTimes: ReadonlySet<string> = new Set(['rate', 'irate', 'increase', 'resets']);
const keepsName: ReadonlySet<string> = new Set(['first_over_time', 'last_over_time']);

/** True for a function of a range vector. */
export function isRangeFunction(func: string): boolean {
  return Object.hasOwn(fills, func);
}

/** Applies a range function to each series of its range vector; `params` are its scalar arguments in order. */
export async function evalRangeFunction(
  evaluation: Evaluation,
  call: Call,
  input: RangeInput,
  params: readonly Float64Array[],
): Promise<Frame> {
  const { pace, steps, lookbackMs } = evaluation;
  const fill = chooseFill(call.func, input);
  const frame = newFrame(steps, input.entries.length);
  const extended = input.anchored || input.smoothed;
  const windows: Windows = {
    ...noSeries,
    evaluation,
    rangeMs: input.rangeMs,
    times: input.times,
    lo: new Int32Array(steps.count),
    hi: new Int32Array(steps.count),
    params,
    argSpans: call.args.map((arg) => arg.span),
    span: input.span,
    lookbackMs: extended ? lookbackMs : 0,
    smoothed: input.smoothed,
  };
  const withStart = evaluation.useStartTimestamps && usesStartTimes.has(call.func);
  for (const entry of input.entries) {
    slideWindows(entry.ts, input.times, input.rangeMs + windows.lookbackMs, input.smoothed ? lookbackMs : 0, windows.lo, windows.hi);
    windows.series = entry.series;
    windows.ts = entry.ts;
    windows.value = entry.value;
    windows.startTs = withStart ? entry.startTs : undefined;
    windows.delta = entry.delta;
    windows.base = nextRow(frame);
    windows.values = frame.values;
    windows.present = frame.present;
    const points = fill(windows);
    commitRow(frame, entry.series, keepsName.has(call.func) ? entry.dropName : true, points);
    pace.hold(chargeOf(points, steps.count));
    if (points > 0) noteNonCounter(evaluation, call, entry.series);
    if (pace.isTurnDue(steps.count + entry.ts.length + workOf(windows))) await pace.yieldTurn();
  }
  return frame;
}

const noSeries = {
  series: { metric: '', labels: [], json: '{}' },
  ts: new Float64Array(0),
  value: new Float64Array(0),
  startTs: undefined,
  delta: undefined,
  values: new Float64Array(0),
  present: new Uint8Array(0),
  base: 0,
};

function chooseFill(func: string, input: RangeInput): Fill {
  const allowed = input.anchored ? anchoredFills : input.smoothed ? smoothedFills : fills;
  const fill = allowed[func];
  if (fill !== undefined) return fill;
  const modifier = input.anchored ? 'anchored' : 'smoothed';
  throw executionError(`${modifier} modifier can only be used with: ${Object.keys(allowed).join(', ')} - not with ${func}`);
}

/** Samples that all windows together hold. */
function workOf({ lo, hi }: Windows): number {
  let samples = 0;
  for (let i = 0; i < lo.length; i++) samples += (hi[i] as number) - (lo[i] as number);
  return samples;
}

const counterName = /_(?:total|sum|count|bucket)$/;

function noteNonCounter(evaluation: Evaluation, call: Call, series: Series): void {
  if ((call.func !== 'rate' && call.func !== 'increase') || series.metric === '' || counterName.test(series.metric)) return;
  const text = `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quoteText(series.metric)}`;
  addInfo(evaluation.annotations, text, (call.args[0] as Call['args'][number]).span);
}
