/**
 * What the detector is set to. One set serves every series; lengths are in samples, so that they mean the same at any interval.
 * docs/alerts/anomaly.md tells why each is what it is, and what the score does when it is moved.
 */
export interface DetectorParameters {
  /** Half-life of what was seen: how long a range stays wide after its last extreme. */
  readonly memorySamples: number;
  /** A feature tells nothing before it was seen this often. */
  readonly warmupSamples: number;
  /** Length of the two neighbouring windows whose means tell a level shift, and of the one whose steps tell how it moves. */
  readonly windowSamples: number;
  /** After an alert as many samples are muted... */
  readonly quietSamples: number;
  /** ...but for one that stands out this many times more. */
  readonly louder: number;
  /** One sample may widen a range by this many of its widths, so that a single glitch does not blind for long. */
  readonly growth: number;
  /** How much evidence of the features that are noisy by nature counts: jumps, and the way a series moves. */
  readonly minorWeight: number;
  /** A finer forecast is used where its mean error is below this share of the plain one's. */
  readonly betterShare: number;
  /** Memory of forecasts' mean errors. */
  readonly errorSamples: number;
  /** Memory of the level that is the plain forecast beside the seasonal ones. */
  readonly levelSamples: number;
  /** What a sample adds to the short-term level, beside which a jump is seen. */
  readonly jumpRate: number;
  /** What a day (or week) adds to the usual value of its hour. */
  readonly seasonRate: number;
  /** An hour's usual value moves at once by at most this many mean errors of the plain forecast. */
  readonly seasonClip: number;
  /** An hour of the day is known after this many visits; an hour of the week after one. */
  readonly seasonVisits: number;
  /** What a sample adds to the smoothed difference from the season. */
  readonly seasonSmoothing: number;
  /** As many equal samples are a flat line... */
  readonly flatSamples: number;
  /** ...in a series of which less than this share are equal to the one before. */
  readonly stillShare: number;
}

/** The frozen set. */
export const detectorParameters: DetectorParameters = {
  memorySamples: 8000,
  warmupSamples: 100,
  windowSamples: 48,
  quietSamples: 100,
  louder: 3,
  growth: 4,
  minorWeight: 0.5,
  betterShare: 0.6,
  errorSamples: 1000,
  levelSamples: 200,
  jumpRate: 0.1,
  seasonRate: 0.25,
  seasonClip: 3,
  seasonVisits: 3,
  seasonSmoothing: 0.25,
  flatSamples: 24,
  stillShare: 0.05,
};
