import type { Series } from '#model/series.ts';
import type { Steps } from './steps.ts';

/**
 * The value of an instant-vector expression at all steps: row r is one series, and its value at step i is
 * `values[r * steps.count + i]`, which counts only where `present` is 1 at the same place (a NaN may be a value).
 * No row is without a point when a frame is made. Whoever is handed a frame owns it and may change it in place.
 */
export interface Frame {
  readonly kind: 'frame';
  readonly steps: Steps;
  series: Series[];
  /** Per row: the metric name (and type and unit) goes when the whole expression has been evaluated. */
  dropName: boolean[];
  values: Float64Array;
  present: Uint8Array;
  /** What its rows count for against the limit on samples held: see `chargeOf`. */
  points: number;
}

/** A scalar per step. */
export interface ScalarValue {
  readonly kind: 'scalar';
  readonly values: Float64Array;
}

interface StringValue {
  readonly kind: 'string';
  readonly value: string;
}

export type Value = Frame | ScalarValue | StringValue;

/** A frame without rows, with room for some. */
export function newFrame(steps: Steps, rows: number): Frame {
  const cells = Math.min(rows, 64) * steps.count;
  const room = rows * steps.count <= 1_000_000 ? rows * steps.count : cells;
  return { kind: 'frame', steps, series: [], dropName: [], values: new Float64Array(room), present: new Uint8Array(room), points: 0 };
}

/** Where the next row begins in `values` and `present`; grows them if need be, so read them again afterwards. */
export function nextRow(frame: Frame): number {
  const base = frame.series.length * frame.steps.count;
  const end = base + frame.steps.count;
  if (end > frame.values.length) {
    const room = Math.max(end, frame.values.length * 2);
    const values = new Float64Array(room);
    values.set(frame.values);
    const present = new Uint8Array(room);
    present.set(frame.present);
    frame.values = values;
    frame.present = present;
  }
  return base;
}

/** Keeps what was written at `nextRow` as a row of `points` points; a row without points is not kept. */
export function commitRow(frame: Frame, series: Series, dropName: boolean, points: number): void {
  if (points === 0) return;
  frame.series.push(series);
  frame.dropName.push(dropName);
  frame.points += chargeOf(points, frame.steps.count);
}

/** What a row of `points` points counts for: a row with gaps takes the memory of a full one, so it counts for half of that at least. */
export function chargeOf(points: number, steps: number): number {
  return points === 0 ? 0 : Math.max(points, steps >> 1);
}

/** Counts the points of one row. */
function countRow(present: Uint8Array, base: number, count: number): number {
  let points = 0;
  for (let i = base; i < base + count; i++) points += present[i] as number;
  return points;
}

/** Drops the rows that have no point left and counts the rest. */
export function dropEmptyRows(frame: Frame): Frame {
  const n = frame.steps.count;
  const { values, present } = frame;
  let rows = 0;
  let points = 0;
  for (let r = 0; r < frame.series.length; r++) {
    const rowPoints = countRow(present, r * n, n);
    if (rowPoints === 0) continue;
    if (rows !== r) {
      values.copyWithin(rows * n, r * n, (r + 1) * n);
      present.copyWithin(rows * n, r * n, (r + 1) * n);
      frame.series[rows] = frame.series[r] as Series;
      frame.dropName[rows] = frame.dropName[r] as boolean;
    }
    rows++;
    points += chargeOf(rowPoints, n);
  }
  frame.series.length = rows;
  frame.dropName.length = rows;
  frame.points = points;
  return frame;
}

/** The same value at every step of `steps`, from a frame of a single step. */
export function spreadFrame(frame: Frame, steps: Steps): Frame {
  const n = steps.count;
  const rows = frame.series.length;
  const values = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) values.fill(frame.values[r] as number, r * n, (r + 1) * n);
  const present = new Uint8Array(rows * n).fill(1);
  return { kind: 'frame', steps, series: frame.series, dropName: frame.dropName, values, present, points: rows * n };
}
