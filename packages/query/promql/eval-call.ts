import { absentOf } from './absent.ts';
import { evalAggregateRange } from './aggregate-tier.ts';
import type { Expr } from './ast.ts';
import { dateFunction, mapDates } from './date-functions.ts';
import { evalFrame, evalScalar } from './eval-operand.ts';
import { type Call, type Evaluation, selectionOf } from './evaluation.ts';
import { commitRow, type Frame, newFrame, nextRow, type ScalarValue, type Value } from './frame.ts';
import { goMax, goMin } from './go-math.ts';
import { evalHistogramFraction, evalHistogramQuantile, evalHistogramQuantiles } from './histogram-functions.ts';
import { evalInfo } from './info.ts';
import { evalSampleTimes, evalStartTimes } from './instant-selector.ts';
import { joinLabels, replaceLabels } from './label-functions.ts';
import { emptySeries } from './labels.ts';
import { clampValues, mapValues, mathFunction, roundValues } from './math-functions.ts';
import { evalRangeFunction, isRangeFunction } from './range-functions.ts';
import { readRange } from './range-input.ts';
import { sortByLabels, sortByValue } from './sort-functions.ts';
import { evalSubqueryRange } from './subqueries.ts';

type Evaluate = (evaluation: Evaluation, call: Call) => Promise<Value> | Value;

const functions: Readonly<Record<string, Evaluate>> = {
  absent: async (evaluation, call) => absentOf(await frameArg(evaluation, call, 0), argOf(call, 0), false),
  clamp: async (evaluation, call) => {
    const frame = await frameArg(evaluation, call, 0);
    return clampValues(frame, await scalarArg(evaluation, call, 1), await scalarArg(evaluation, call, 2));
  },
  clamp_max: async (evaluation, call) => clampValues(await frameArg(evaluation, call, 0), undefined, await scalarArg(evaluation, call, 1)),
  clamp_min: async (evaluation, call) => clampValues(await frameArg(evaluation, call, 0), await scalarArg(evaluation, call, 1), undefined),
  histogram_avg: noHistograms,
  histogram_count: noHistograms,
  histogram_fraction: async (evaluation, call) => {
    const lower = await scalarArg(evaluation, call, 0);
    const upper = await scalarArg(evaluation, call, 1);
    return evalHistogramFraction(evaluation, lower, upper, await frameArg(evaluation, call, 2), argOf(call, 2).span);
  },
  histogram_quantile: async (evaluation, call) => {
    const q = { values: await scalarArg(evaluation, call, 0), span: argOf(call, 0).span };
    return evalHistogramQuantile(evaluation, q, await frameArg(evaluation, call, 1), argOf(call, 1).span);
  },
  histogram_quantiles: async (evaluation, call) => {
    const frame = await frameArg(evaluation, call, 0);
    const quantiles = [];
    for (const arg of call.args.slice(2)) quantiles.push({ values: await evalScalar(evaluation, arg), span: arg.span });
    return evalHistogramQuantiles(evaluation, frame, argOf(call, 0).span, stringArg(call, 1), quantiles);
  },
  histogram_stddev: noHistograms,
  histogram_stdvar: noHistograms,
  histogram_sum: noHistograms,
  info: async (evaluation, call) => evalInfo(evaluation, call, await frameArg(evaluation, call, 0)),
  label_join: async (evaluation, call) => {
    const sources = call.args.slice(3).map((_, index) => stringArg(call, index + 3));
    return joinLabels(evaluation.pace, await frameArg(evaluation, call, 0), stringArg(call, 1), stringArg(call, 2), sources);
  },
  label_replace: async (evaluation, call) => {
    const [target, replacement, source, pattern] = [1, 2, 3, 4].map((index) => stringArg(call, index)) as [string, string, string, string];
    return replaceLabels(evaluation.pace, await frameArg(evaluation, call, 0), { target, replacement, source, pattern });
  },
  max_of: (evaluation, call) => combineScalars(evaluation, call, goMax),
  min_of: (evaluation, call) => combineScalars(evaluation, call, goMin),
  pi: ({ steps }) => ({ kind: 'scalar', values: new Float64Array(steps.count).fill(Math.PI) }),
  round: async (evaluation, call) =>
    roundValues(await frameArg(evaluation, call, 0), call.args.length > 1 ? await scalarArg(evaluation, call, 1) : undefined),
  scalar: async (evaluation, call) => onlyValues(await frameArg(evaluation, call, 0)),
  sort: async (evaluation, call) => sortByValue(evaluation, call, await frameArg(evaluation, call, 0)),
  sort_by_label: async (evaluation, call) => sortByLabels(evaluation, call, await frameArg(evaluation, call, 0), labelArgs(call)),
  sort_by_label_desc: async (evaluation, call) => sortByLabels(evaluation, call, await frameArg(evaluation, call, 0), labelArgs(call)),
  sort_desc: async (evaluation, call) => sortByValue(evaluation, call, await frameArg(evaluation, call, 0)),
  start_timestamp: async (evaluation, call) => {
    const arg = argOf(call, 0);
    if (arg.kind === 'vectorSelector') return evalStartTimes(evaluation, arg);
    await evalFrame(evaluation, arg);
    return newFrame(evaluation.steps, 0);
  },
  time: ({ steps }) => ({ kind: 'scalar', values: steps.times.map((time) => time / 1000) }),
  timestamp: async (evaluation, call) => {
    const arg = argOf(call, 0);
    if (arg.kind === 'vectorSelector') return evalSampleTimes(evaluation, arg);
    return timesOfSteps(await evalFrame(evaluation, arg));
  },
  vector: async (evaluation, call) => vectorOf(evaluation, await scalarArg(evaluation, call, 0)),
};

/** Evaluates a function call. */
export async function evalCall(evaluation: Evaluation, call: Call): Promise<Value> {
  if (isRangeFunction(call.func)) return evalRangeCall(evaluation, call);
  const math = mathFunction(call.func);
  if (math !== undefined) return mapValues(await frameArg(evaluation, call, 0), math);
  const date = dateFunction(call.func);
  if (date !== undefined) return mapDates(await datedArg(evaluation, call), date);
  const evaluate = Object.hasOwn(functions, call.func) ? functions[call.func] : undefined;
  if (evaluate === undefined) throw new TypeError(`function ${call.func} has no implementation`);
  return evaluate(evaluation, call);
}

async function evalRangeCall(evaluation: Evaluation, call: Call): Promise<Frame> {
  const params: Float64Array[] = [];
  let matrix: Expr | undefined;
  for (const arg of call.args) {
    if (arg.kind === 'matrixSelector' || arg.kind === 'subquery') matrix = arg;
    else params.push(await evalScalar(evaluation, arg));
  }
  const frame = await evalOverRange(evaluation, call, matrix, params);
  return call.func === 'absent_over_time' ? absentOf(frame, matrix as Expr, true) : frame;
}

async function evalOverRange(
  evaluation: Evaluation,
  call: Call,
  matrix: Expr | undefined,
  params: readonly Float64Array[],
): Promise<Frame> {
  if (matrix?.kind === 'subquery') return evalRangeFunction(evaluation, call, await evalSubqueryRange(evaluation, matrix), params);
  if (matrix?.kind !== 'matrixSelector') throw new TypeError(`${call.func} was given no range vector`);
  const selection = selectionOf(evaluation, matrix.vector);
  if (selection.tier !== 'hot') return evalAggregateRange(evaluation, call, matrix, selection);
  return evalRangeFunction(evaluation, call, readRange(evaluation, matrix), params);
}

function argOf(call: Call, index: number): Expr {
  const arg = call.args[index];
  if (arg === undefined) throw new TypeError(`${call.func} lacks argument ${index + 1}`);
  return arg;
}

function frameArg(evaluation: Evaluation, call: Call, index: number): Promise<Frame> {
  return evalFrame(evaluation, argOf(call, index));
}

function scalarArg(evaluation: Evaluation, call: Call, index: number): Promise<Float64Array> {
  return evalScalar(evaluation, argOf(call, index));
}

function stringArg(call: Call, index: number): string {
  const arg = argOf(call, index);
  if (arg.kind !== 'string') throw new TypeError(`${call.func} needs a string as argument ${index + 1}`);
  return arg.value;
}

function labelArgs(call: Call): string[] {
  return call.args.slice(1).map((_, index) => stringArg(call, index + 1));
}

/** Functions of native histograms leave out every float. */
async function noHistograms(evaluation: Evaluation, call: Call): Promise<Frame> {
  await frameArg(evaluation, call, 0);
  return newFrame(evaluation.steps, 0);
}

async function combineScalars(evaluation: Evaluation, call: Call, combine: (a: number, b: number) => number): Promise<ScalarValue> {
  const a = await scalarArg(evaluation, call, 0);
  const b = await scalarArg(evaluation, call, 1);
  return { kind: 'scalar', values: a.map((value, i) => combine(value, b[i] as number)) };
}

/** scalar(): the value of the only series with a point at a step, else NaN. */
function onlyValues(frame: Frame): ScalarValue {
  const n = frame.steps.count;
  const values = new Float64Array(n).fill(Number.NaN);
  const found = new Uint8Array(n);
  for (let row = 0; row < frame.series.length; row++) {
    for (let i = 0; i < n; i++) {
      if (frame.present[row * n + i] !== 1) continue;
      values[i] = found[i] === 1 ? Number.NaN : (frame.values[row * n + i] as number);
      found[i] = 1;
    }
  }
  return { kind: 'scalar', values };
}

function vectorOf({ steps, pace }: Evaluation, values: Float64Array): Frame {
  const frame = newFrame(steps, 1);
  const base = nextRow(frame);
  frame.values.set(values, base);
  frame.present.fill(1, base, base + steps.count);
  commitRow(frame, emptySeries, false, steps.count);
  pace.hold(steps.count);
  return frame;
}

/** The argument of a date function, or the time of evaluation where it has none. */
async function datedArg(evaluation: Evaluation, call: Call): Promise<Frame> {
  if (call.args.length > 0) return frameArg(evaluation, call, 0);
  return vectorOf(
    evaluation,
    evaluation.steps.times.map((time) => Math.trunc(time / 1000)),
  );
}

function timesOfSteps(frame: Frame): Frame {
  const { steps, values } = frame;
  for (let base = 0; base < frame.series.length * steps.count; base += steps.count) {
    for (let i = 0; i < steps.count; i++) values[base + i] = (steps.times[i] as number) / 1000;
  }
  frame.dropName.fill(true);
  return frame;
}
