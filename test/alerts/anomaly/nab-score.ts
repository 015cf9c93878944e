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

/** A row that counts: what it adds to the total, and to which window (of all series, -1 outside). */
interface Row {
  readonly score: number;
  readonly worth: number;
  readonly window: number;
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
  const { rows, windows } = collectRows(results, profile, least);
  rows.sort((a, b) => b.score - a.score);
  const best = sweep(rows, windows, profile);
  const nothing = -profile.fn * windows;
  return { normalized: (100 * (best.total - nothing)) / (profile.tp * windows - nothing), threshold: best.threshold };
}

/** The score at a threshold that is given. */
export function scoreNabAt(results: readonly ScoredSeries[], profile: NabProfile, threshold: number): number {
  const { rows, windows } = collectRows(results, profile, threshold);
  const nothing = -profile.fn * windows;
  const total = addRows(rows, 0, rows.length, nothing, new Float64Array(windows).fill(-profile.fn));
  return (100 * (total - nothing)) / (profile.tp * windows - nothing);
}

function collectRows(results: readonly ScoredSeries[], profile: NabProfile, least: number): { rows: Row[]; windows: number } {
  const rows: Row[] = [];
  let windows = 0;
  for (const { series, scores } of results) {
    const worth = rowWorth(series, profile);
    const window = new Int32Array(worth.length).fill(-1);
    for (const { first, last } of series.windows) window.fill(windows++, first, last + 1);
    for (let i = probationRows(worth.length); i < worth.length; i++) {
      if (scores[i] >= least) rows.push({ score: scores[i], worth: worth[i], window: window[i] });
    }
  }
  return { rows, windows };
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
function sweep(rows: readonly Row[], windows: number, { fn }: NabProfile): { total: number; threshold: number } {
  const bestOf = new Float64Array(windows).fill(-fn);
  let best = { total: -fn * windows, threshold: Number.POSITIVE_INFINITY };
  let total = best.total;
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && rows[to].score === rows[from].score) to++;
    total = addRows(rows, from, to, total, bestOf);
    if (total > best.total) best = { total, threshold: rows[from].score };
    from = to;
  }
  return best;
}

/** Adds some of the rows, all detected, to a total. `bestOf` has what each window counts for so far, and is brought up to date. */
function addRows(rows: readonly Row[], from: number, to: number, before: number, bestOf: Float64Array): number {
  let total = before;
  for (let i = from; i < to; i++) {
    const { worth, window } = rows[i];
    if (window < 0) total += worth;
    else if (worth > bestOf[window]) {
      total += worth - bestOf[window];
      bestOf[window] = worth;
    }
  }
  return total;
}
