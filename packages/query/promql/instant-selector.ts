import type { AggregateColumns, SampleColumns } from '#model/samples.ts';
import type { AggregateSeries, RawSeries, SelectResult } from '#ports/sample-source.ts';
import { type Evaluation, selectionOf, type VectorSelector } from './evaluation.ts';
import { chargeOf, commitRow, type Frame, newFrame, nextRow } from './frame.ts';
import { interpolate } from './interpolate.ts';
import { lookupTimes } from './steps.ts';
import { withoutStale } from './without-stale.ts';

/** The samples of a series as a plain selector meets them; `picked` may be anything that is known of a sample. */
interface Readable {
  readonly ts: Float64Array;
  readonly picked: Float64Array;
  readonly stale: Uint8Array | undefined;
}

/** A vector selector: at each step the latest sample within the look-back, unless it is a stale marker. */
export async function evalVectorSelector(evaluation: Evaluation, selector: VectorSelector): Promise<Frame> {
  const selection = selectionOf(evaluation, selector);
  if (selector.smoothed) return evalSmoothedSelector(evaluation, selector, selection);
  return readLatest(evaluation, selection, lookupTimes(evaluation.steps, selector.modifiers), false, {
    raw: ({ samples }) => ({ ts: samples.ts, picked: samples.value, stale: samples.stale }),
    aggregate: ({ aggregates }) => ({ ts: aggregates.lastTs, picked: aggregates.last, stale: undefined }),
  });
}

/** `timestamp(selector)`: the time of the sample that the selector would give, in seconds. */
export async function evalSampleTimes(evaluation: Evaluation, selector: VectorSelector): Promise<Frame> {
  const frame = await readSampleTimes(evaluation, selectionOf(evaluation, selector), lookupTimes(evaluation.steps, selector.modifiers));
  for (let i = 0; i < frame.values.length; i++) frame.values[i] = (frame.values[i] as number) / 1000;
  frame.dropName.fill(true);
  return frame;
}

/** The time in ms of each sample that a selector would give at `times`. */
export function readSampleTimes(evaluation: Evaluation, selection: SelectResult, times: Float64Array): Promise<Frame> {
  return readLatest(evaluation, selection, times, false, {
    raw: ({ samples }) => ({ ts: samples.ts, picked: samples.ts, stale: samples.stale }),
    aggregate: ({ aggregates }) => ({ ts: aggregates.lastTs, picked: aggregates.lastTs, stale: undefined }),
  });
}

/** `start_timestamp(selector)`: when the series of that sample began, in seconds; 0 where it is not known. */
export async function evalStartTimes(evaluation: Evaluation, selector: VectorSelector): Promise<Frame> {
  if (!evaluation.useStartTimestamps) return newFrame(evaluation.steps, 0);
  const unknown = (length: number) => new Float64Array(length).fill(Number.NaN);
  const times = lookupTimes(evaluation.steps, selector.modifiers);
  const frame = await readLatest(evaluation, selectionOf(evaluation, selector), times, true, {
    raw: ({ samples }) => ({ ts: samples.ts, picked: samples.startTs ?? unknown(samples.ts.length), stale: samples.stale }),
    aggregate: ({ aggregates }) => ({ ts: aggregates.lastTs, picked: unknown(aggregates.ts.length), stale: undefined }),
  });
  for (let i = 0; i < frame.values.length; i++) {
    const value = frame.values[i] as number;
    frame.values[i] = Number.isNaN(value) ? 0 : value / 1000;
  }
  return frame;
}

interface Readers {
  readonly raw: (series: RawSeries) => Readable;
  readonly aggregate: (series: AggregateSeries) => Readable;
}

async function readLatest(
  evaluation: Evaluation,
  selection: SelectResult,
  times: Float64Array,
  dropName: boolean,
  readers: Readers,
): Promise<Frame> {
  const { pace, steps } = evaluation;
  const frame = newFrame(steps, selection.series.length);
  const lookbackMs = selection.tier === 'hot' ? evaluation.lookbackMs : Math.max(evaluation.lookbackMs, 2 * selection.resolutionMs);
  for (let s = 0; s < selection.series.length; s++) {
    const readable =
      selection.tier === 'hot' ? readers.raw(selection.series[s] as RawSeries) : readers.aggregate(selection.series[s] as AggregateSeries);
    const base = nextRow(frame);
    const points = fillLatest(readable, times, lookbackMs, frame.values, frame.present, base);
    commitRow(frame, (selection.series[s] as RawSeries | AggregateSeries).series, dropName, points);
    pace.hold(chargeOf(points, steps.count));
    if (pace.isTurnDue(times.length + readable.ts.length)) await pace.yieldTurn();
  }
  return frame;
}

function fillLatest(
  { ts, picked, stale }: Readable,
  times: Float64Array,
  lookbackMs: number,
  values: Float64Array,
  present: Uint8Array,
  base: number,
): number {
  const length = ts.length;
  let next = 0; // first sample after the time looked at
  let points = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    while (next < length && (ts[next] as number) <= time) next++;
    if (next === 0 || (ts[next - 1] as number) <= time - lookbackMs) continue;
    if (stale !== undefined && stale[next - 1] === 1) continue;
    values[base + i] = picked[next - 1] as number;
    present[base + i] = 1;
    points++;
  }
  return points;
}

/** `selector smoothed`: interpolated between the samples around the time; the one before where none follows within the look-back. */
async function evalSmoothedSelector(evaluation: Evaluation, selector: VectorSelector, selection: SelectResult): Promise<Frame> {
  const { pace, steps, lookbackMs } = evaluation;
  const frame = newFrame(steps, selection.series.length);
  const times = lookupTimes(steps, selector.modifiers);
  for (const entry of selection.series) {
    const samples = 'samples' in entry ? withoutStale(entry.samples) : lastSamples(entry.aggregates);
    const base = nextRow(frame);
    const points = fillSmoothed(samples.ts, samples.value, times, lookbackMs, frame.values, frame.present, base);
    commitRow(frame, entry.series, false, points);
    pace.hold(chargeOf(points, steps.count));
    if (pace.isTurnDue(times.length + samples.ts.length)) await pace.yieldTurn();
  }
  return frame;
}

function fillSmoothed(
  ts: Float64Array,
  value: Float64Array,
  times: Float64Array,
  lookbackMs: number,
  values: Float64Array,
  present: Uint8Array,
  base: number,
): number {
  let next = 0; // first sample at or after the time
  let points = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    while (next < ts.length && (ts[next] as number) < time) next++;
    const exact = next < ts.length && ts[next] === time;
    if (!exact && (next === 0 || (ts[next - 1] as number) <= time - lookbackMs)) continue;
    const follows = next < ts.length && (ts[next] as number) <= time + lookbackMs;
    values[base + i] = exact
      ? (value[next] as number)
      : follows
        ? interpolate(ts, value, next - 1, time, false)
        : (value[next - 1] as number);
    present[base + i] = 1;
    points++;
  }
  return points;
}

function lastSamples(aggregates: AggregateColumns): SampleColumns {
  return { ts: aggregates.lastTs, value: aggregates.last };
}
