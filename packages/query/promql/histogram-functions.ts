import type { Series } from '#model/series.ts';
import { addForcedMonotonicity, addInvalidQuantile, addWarning, withMetricName } from './annotations.ts';
import type { Span } from './ast.ts';
import { type BucketFix, type Buckets, bucketFraction, bucketQuantile } from './classic-buckets.ts';
import type { Evaluation } from './evaluation.ts';
import { formatOpenMetrics } from './format-number.ts';
import { chargeOf, commitRow, type Frame, newFrame, nextRow } from './frame.ts';
import { dropLabels, fullKey, labelValue, withLabel } from './labels.ts';
import { quoteText } from './quote.ts';

/** The rows of one classic histogram, by upper bound. */
interface Histogram {
  readonly series: Series;
  readonly rows: number[];
  readonly bounds: number[];
}

/** A quantile and its place in the query. */
export interface QuantileArg {
  readonly values: Float64Array;
  readonly span: Span;
}

/** histogram_quantile() over classic buckets. */
export async function evalHistogramQuantile(evaluation: Evaluation, q: QuantileArg, frame: Frame, span: Span): Promise<Frame> {
  warnOfQuantiles(evaluation, q);
  const histograms = groupBuckets(evaluation, frame, span);
  const result = newFrame(evaluation.steps, histograms.length);
  for (const histogram of histograms)
    await fillHistogram(evaluation, result, histogram.series, histogram, frame, quantileOf(evaluation, q, histogram, span));
  return result;
}

/** histogram_quantiles(): several quantiles at once, told apart by a label. */
export async function evalHistogramQuantiles(
  evaluation: Evaluation,
  frame: Frame,
  span: Span,
  label: string,
  quantiles: readonly QuantileArg[],
): Promise<Frame> {
  for (const q of quantiles) warnOfQuantiles(evaluation, q);
  const histograms = groupBuckets(evaluation, frame, span);
  const result = newFrame(evaluation.steps, histograms.length * quantiles.length);
  for (const q of quantiles) {
    for (const each of splitByValue(q.values)) {
      for (const histogram of histograms) {
        const series = withLabel(histogram.series, label, formatOpenMetrics(each.value));
        const compute = quantileOf(evaluation, q, histogram, span);
        await fillHistogram(evaluation, result, series, histogram, frame, (step, buckets) =>
          each.steps[step] === 1 ? compute(step, buckets) : undefined,
        );
      }
    }
  }
  return result;
}

/** histogram_fraction() over classic buckets. */
export async function evalHistogramFraction(
  evaluation: Evaluation,
  lower: Float64Array,
  upper: Float64Array,
  frame: Frame,
  span: Span,
): Promise<Frame> {
  const histograms = groupBuckets(evaluation, frame, span);
  const result = newFrame(evaluation.steps, histograms.length);
  for (const histogram of histograms) {
    const compute = (step: number, buckets: Buckets) => bucketFraction(lower[step] as number, upper[step] as number, buckets);
    await fillHistogram(evaluation, result, histogram.series, histogram, frame, compute);
  }
  return result;
}

function warnOfQuantiles(evaluation: Evaluation, { values, span }: QuantileArg): void {
  let before: number | undefined;
  for (const q of values) {
    if (!(q >= 0 && q <= 1) && !Object.is(q, before)) addInvalidQuantile(evaluation.annotations, q, span);
    before = q;
  }
}

function quantileOf(evaluation: Evaluation, q: QuantileArg, histogram: Histogram, span: Span): (step: number, buckets: Buckets) => number {
  const { annotations, steps } = evaluation;
  return (step, buckets) =>
    bucketQuantile(q.values[step] as number, buckets, (fix: BucketFix) => {
      const time = steps.times[step] as number;
      addForcedMonotonicity(annotations, histogram.series.metric, { ...fix, minTs: time, maxTs: time, count: 1 }, span);
    });
}

/** A scalar that changes from step to step gives one series for each of its values. */
function splitByValue(values: Float64Array): { value: number; steps: Uint8Array }[] {
  const found = new Map<number, Uint8Array>();
  values.forEach((value, step) => {
    const steps = found.get(value) ?? new Uint8Array(values.length);
    steps[step] = 1;
    found.set(value, steps);
  });
  return [...found].map(([value, steps]) => ({ value, steps }));
}

/** Puts the rows that differ in `le` alone together, in order of their bounds. */
function groupBuckets(evaluation: Evaluation, frame: Frame, span: Span): Histogram[] {
  const groups = new Map<string, { series: Series; buckets: { bound: number; row: number }[] }>();
  const le = new Set(['le']);
  frame.series.forEach((series, row) => {
    const text = labelValue(series, 'le');
    const bound = parseBound(text);
    if (bound === undefined) {
      const message = withMetricName(`bucket label "le" is missing or has a malformed value of ${quoteText(text)}`, series.metric);
      addWarning(evaluation.annotations, message, span);
      return;
    }
    const rest = dropLabels(series, le);
    const key = fullKey(rest);
    const group = groups.get(key) ?? { series: rest, buckets: [] };
    group.buckets.push({ bound, row });
    groups.set(key, group);
  });
  return [...groups.values()].map(({ series, buckets }) => {
    buckets.sort((a, b) => (a.bound === b.bound ? 0 : a.bound < b.bound ? -1 : 1));
    return { series, rows: buckets.map(({ row }) => row), bounds: buckets.map(({ bound }) => bound) };
  });
}

const decimal = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A float as Go reads it, or undefined. */
function parseBound(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special === null) return /^[+-]?0x/i.test(text) ? parseHexFloat(text) : undefined;
  if ((special[2] as string).toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? -Infinity : Infinity;
}

function parseHexFloat(text: string): number | undefined {
  const parts = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i.exec(text);
  if (parts === null || `${parts[2]}${parts[3]}` === '') return undefined;
  const magnitude = Number.parseInt(`${parts[2]}${parts[3]}`, 16) * 2 ** (Number(parts[4]) - 4 * (parts[3] as string).length);
  return parts[1] === '-' ? -magnitude : magnitude;
}

async function fillHistogram(
  evaluation: Evaluation,
  result: Frame,
  series: Series,
  histogram: Histogram,
  frame: Frame,
  compute: (step: number, buckets: Buckets) => number | undefined,
): Promise<void> {
  const n = frame.steps.count;
  const { rows } = histogram;
  const size = rows.length;
  const bounds = Float64Array.from(histogram.bounds);
  const bases = Int32Array.from(rows, (row) => row * n);
  const buckets: Buckets = { bounds: new Float64Array(size), counts: new Float64Array(size), length: 0 };
  const base = nextRow(result);
  let points = 0;
  for (let i = 0; i < n; i++) {
    let length = 0;
    for (let b = 0; b < size; b++) {
      const cell = (bases[b] as number) + i;
      if (frame.present[cell] !== 1) continue;
      buckets.bounds[length] = bounds[b] as number;
      buckets.counts[length++] = frame.values[cell] as number;
    }
    if (length === 0) continue;
    buckets.length = length;
    const value = compute(i, buckets);
    if (value === undefined) continue;
    result.values[base + i] = value;
    result.present[base + i] = 1;
    points++;
  }
  commitRow(result, series, true, points);
  evaluation.pace.hold(chargeOf(points, n));
  if (evaluation.pace.isTurnDue(n * size)) await evaluation.pace.yieldTurn();
}
