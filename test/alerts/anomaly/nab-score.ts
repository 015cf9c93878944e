import type { NabSeries } from './nab-corpus.ts';

/** What a hit is worth, and a miss and a false alarm cost. */
export interface NabProfile {
  readonly tp: number;
  readonly fn: number;
  readonly fp: number;
}

/** The three application profiles of upstream's `config/profiles.json`. */
export const nabProfiles = {
  standard: { tp: 1, fn: 1, fp: 0.11 },
  reward_low_FP_rate: { tp: 1, fn: 1, fp: 0.22 },
  reward_low_FN_rate: { tp: 1, fn: 2, fp: 0.11 },
} as const satisfies Record<string, NabProfile>;

/** A series with the scores that a detector gave its rows. */
export interface ScoredSeries {
  readonly series: NabSeries;
  readonly scores: ArrayLike<number>;
}

export interface NabScore {
  /** 0: nothing detected, 100: every window at its first row and nothing else. */
  readonly normalized: number;
  /** The one threshold over all series that gives it. */
  readonly threshold: number;
}

/** The rows that count, in columns: score, what a detection adds to the total, and the window (of all series, -1 outside). */
interface Rows {
  readonly score: Float64Array;
  readonly worth: Float64Array;
  readonly window: Int32Array;
  readonly windows: number;
}

/** The first rows of a series, in which nothing counts: a detector may learn there. */
const probationRows = (rows: number): number => Math.min(Math.floor(0.15 * rows), 750);

/** Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (2015): the scaled sigmoid, from 1 far left to -1 far right. */
const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1);
const HIGHEST = sigmoid(-1);

/**
 * Scores a detector's results over the whole corpus at the threshold that is best for them, as upstream's optimizer and scorer do.
 * `least` leaves out thresholds below it, which is quicker.
 */
export function scoreNab(results: readonly ScoredSeries[], profile: NabProfile, least = Number.NEGATIVE_INFINITY): NabScore {
  const rows = collectRows(results, profile, least);
  const { total, threshold } = sweep(rows, profile);
  return { normalized: normalize(total, rows.windows, profile), threshold };
}

/** The score at a threshold that is given. */
export function scoreNabAt(results: readonly ScoredSeries[], profile: NabProfile, threshold: number): number {
  const rows = collectRows(results, profile, threshold);
  const counted = new Float64Array(rows.windows).fill(-profile.fn);
  let total = -profile.fn * rows.windows;
  for (let i = 0; i < rows.score.length; i++) total += gain(rows, i, counted);
  return normalize(total, rows.windows, profile);
}

function normalize(total: number, windows: number, { tp, fn }: NabProfile): number {
  return (100 * (total + fn * windows)) / ((tp + fn) * windows);
}

function collectRows(results: readonly ScoredSeries[], profile: NabProfile, least: number): Rows {
  const size = results.reduce((sum, { scores }) => sum + scores.length, 0);
  const [score, worth, window] = [new Float64Array(size), new Float64Array(size), new Int32Array(size)];
  let [count, windows] = [0, 0];
  for (const { series, scores } of results) {
    const worthOf = rowWorth(series, profile);
    const windowOf = new Int32Array(worthOf.length).fill(-1);
    for (const { first, last } of series.windows) windowOf.fill(windows++, first, last + 1);
    for (let i = probationRows(worthOf.length); i < worthOf.length; i++) {
      if (!(scores[i] >= least)) continue;
      score[count] = scores[i];
      worth[count] = worthOf[i];
      window[count++] = windowOf[i];
    }
  }
  return { score: score.subarray(0, count), worth: worth.subarray(0, count), window: window.subarray(0, count), windows };
}

/** What a detection at each row is worth by its place alone: the sooner in a window the more, the farther behind one the less. */
function rowWorth({ tsMs, windows }: NabSeries, { tp, fp }: NabProfile): Float64Array {
  const worth = new Float64Array(tsMs.length).fill(-fp);
  for (let w = 0; w < windows.length; w++) {
    const { first, last } = windows[w];
    const width = last - first + 1;
    for (let i = first; i <= last; i++) worth[i] = (tp * sigmoid(-(last - i + 1) / width)) / HIGHEST;
    const next = windows[w + 1]?.first ?? worth.length;
    for (let i = last + 1; i < next; i++) worth[i] = fp * sigmoid((i - last) / (width - 1));
  }
  return worth;
}

/** Takes the total after each distinct score from the highest down; the higher threshold wins a tie. */
function sweep(rows: Rows, { fn }: NabProfile): { total: number; threshold: number } {
  const counted = new Float64Array(rows.windows).fill(-fn);
  let total = -fn * rows.windows;
  let best = { total, threshold: Number.POSITIVE_INFINITY };
  const order = orderByScore(rows.score);
  for (let at = 0; at < order.length; at++) {
    total += gain(rows, order[at], counted);
    const threshold = rows.score[order[at]];
    if (total > best.total && threshold !== rows.score[order[at + 1]]) best = { total, threshold };
  }
  return best;
}

/** Places from the highest score to the lowest. Numbers are sorted natively, which a comparing function would slow down many times. */
function orderByScore(score: Float64Array): Uint32Array {
  const sorted = score.toSorted().reverse();
  const firstOf = new Map<number, number>();
  for (let at = sorted.length - 1; at >= 0; at--) firstOf.set(sorted[at], at);
  const order = new Uint32Array(score.length);
  for (let i = 0; i < score.length; i++) {
    const at = firstOf.get(score[i]) as number;
    order[at] = i;
    firstOf.set(score[i], at + 1);
  }
  return order;
}

/** What a detected row adds to the total. `counted` has what each window counts for so far, and is brought up to date. */
function gain({ worth, window }: Rows, row: number, counted: Float64Array): number {
  const place = window[row];
  if (place < 0) return worth[row];
  const more = Math.max(0, worth[row] - counted[place]);
  counted[place] += more;
  return more;
}

export interface NabCount {
  readonly windows: number;
  /** Windows with a detection in them. */
  readonly found: number;
  /** Detections outside of windows. */
  readonly falseAlarms: number;
}

/** Counts what is detected at a threshold, probation left out. */
export function countNab(results: readonly ScoredSeries[], threshold: number): NabCount {
  const { window, windows } = collectRows(results, nabProfiles.standard, threshold);
  const inside = window.filter((place) => place >= 0);
  return { windows, found: new Set(inside).size, falseAlarms: window.length - inside.length };
}
