import { type DetectorParameters, detectorParameters } from '#alerts/anomaly/parameters.ts';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { updateDetector, type Verdict } from '#alerts/anomaly/update-detector.ts';
import type { NabSeries } from './nab-corpus.ts';
import type { ScoredSeries } from './nab-score.ts';

/** What a new detector says of each value in turn, one a step from the start on. */
export function detectAll(values: ArrayLike<number>, { startMs = 0, stepMs = 300_000 } = {}): Verdict[] {
  const state = createDetectorState();
  return Array.from(values, (value, i) => updateDetector(state, startMs + i * stepMs, value));
}

/** The detector's scores of the benchmark's series. */
export function detectNab(corpus: readonly NabSeries[], parameters: DetectorParameters = detectorParameters): ScoredSeries[] {
  return corpus.map((series) => {
    const state = createDetectorState({}, parameters);
    return { series, scores: series.value.map((value, i) => updateDetector(state, series.tsMs[i], value, parameters).score) };
  });
}
