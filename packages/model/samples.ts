import type { Series } from './series.ts';

/** Bits of a sample's flags. */
export const STALE = 1;
/** The value is the increase since the series' previous sample, as serverless clients send it. */
export const DELTA = 2;

/**
 * Samples of one request or file, in columns; sample i belongs to `series[seriesIndex[i]]`. Any order, duplicates allowed.
 * A stale marker is the STALE flag (its `value` is NaN and means nothing): a NaN's bits do not survive JavaScript.
 */
export interface SampleBatch {
  readonly series: readonly Series[];
  readonly seriesIndex: Uint32Array;
  /** Milliseconds since the epoch, whole numbers within +-2^53. */
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly flags: Uint8Array;
  /** When the cumulative series began, ms; NaN where it is not known. Absent: known for no sample. */
  readonly startTs?: Float64Array | undefined;
}

/**
 * Samples of one series in time order, at most one per timestamp. Arrays may be views of cached data: never write to them.
 * `stale[i]` 1: a stale marker. `delta[i]` 1: an increase. An absent array means zero (NaN for startTs) throughout.
 */
export interface SampleColumns {
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly stale?: Uint8Array | undefined;
  readonly delta?: Uint8Array | undefined;
  readonly startTs?: Float64Array | undefined;
}

/**
 * Aggregates of one series, one row per interval that has samples, in time order. `ts` is the interval's start.
 * `increase` is adjusted for counter resets inside the interval and does not contain the step from the interval before:
 * that follows from its `last` and this `first`. Of a delta series (`delta[i]` 1) `sum` is the increase.
 */
export interface AggregateColumns {
  readonly ts: Float64Array;
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly increase: Float64Array;
  readonly firstTs: Float64Array;
  readonly lastTs: Float64Array;
  readonly delta?: Uint8Array | undefined;
}

/** The winner of two samples at one time, by value alone: a number beats NaN beats stale; then the greater. */
export function winsOver(value: number, stale: boolean, otherValue: number, otherStale: boolean): boolean {
  if (stale || otherStale) return !stale && otherStale;
  if (Number.isNaN(value) || Number.isNaN(otherValue)) return !Number.isNaN(value);
  return value > otherValue || (Object.is(value, 0) && Object.is(otherValue, -0));
}
