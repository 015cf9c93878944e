import { createHash } from 'node:crypto';
import type { DetectorMemory, DetectorObserved, ExplainedSample } from '#alerts/detectors/detector.ts';
import { OpsError } from '#core/errors.ts';
import { seriesFromJson } from '#model/series.ts';
import type { InstantSample } from '#ports/query.ts';
import { type AnomalyDetector, bandSeries } from './anomaly-detector.ts';
import { explainMissing, explainVerdict } from './explanation.ts';
import { missingSince } from './missing.ts';
import { detectorParameters } from './parameters.ts';
import { packSeries, stateBytesOf, unpackFigures, unpackState } from './series-memory.ts';
import { createDetectorState, type DetectorState } from './state.ts';
import { stateVersion } from './state-codec.ts';
import { type AlertOptions, updateDetector } from './update-detector.ts';

/** Of what is kept of each series beside its state; what was written under another one is not read, and the series learned anew. */
const VERSION = 1;
const DAY_MS = 86_400_000;

export interface AnomalyInput {
  readonly detector: AnomalyDetector;
  readonly memory: DetectorMemory | undefined;
  readonly atMs: number;
}

/**
 * One evaluation of an anomaly detector: each series that the expression gives is judged by what came before and learned; each that is
 * remembered and not given may be missing. A series alerts from the score on, goes on while its raw score is as high, and carries the
 * explanation of its last alert meanwhile. A time that is not later than the last changes nothing and gives the same again, unless the clock
 * was set back by a day.
 */
export async function observeAnomaly(
  { ask }: { ask: (expr: string) => Promise<readonly InstantSample[]> },
  { detector, memory, atMs }: AnomalyInput,
): Promise<DetectorObserved> {
  const form = formOf(detector);
  const known = memory?.form === form ? memory : undefined;
  if (known?.packed && atMs <= known.packed.atMs && atMs > known.packed.atMs - DAY_MS)
    return { ...resultOf(detector, known), memory: known };
  const given = byLabels(await ask(detector.expr), detector, atMs);
  const alert = { score: detector.score, reasons: new Set(detector.reasons) };
  const kept: Kept[] = [];
  for (const [i, [labels, , explanation]] of (known?.rows ?? []).entries()) {
    const row = stepSeries({ detector, alert, atMs }, given.get(labels), { labels, explanation, bytes: known?.packed?.states[i] });
    given.delete(labels);
    if (row) kept.push(row);
  }
  for (const [labels, value] of given) {
    const row = stepSeries({ detector, alert, atMs }, value, { labels, explanation: undefined, bytes: undefined });
    if (row) kept.push(row);
  }
  const after = toMemory(form, atMs, forgetLongestGone(kept, detector.maxSeries));
  return { ...resultOf(detector, after), memory: after };
}

/** The definition of a detector in 16 characters: what it learned is of use for as long as its expression is the same. */
function formOf({ expr }: AnomalyDetector): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, stateVersion, 'anomaly', expr]))
    .digest('hex')
    .slice(0, 16);
}

/** Values by the canonical JSON of the labels. */
function byLabels(samples: readonly InstantSample[], { maxSeries }: AnomalyDetector, atMs: number): Map<string, number> {
  if (samples.length > maxSeries) {
    throw new OpsError('limit', `the expression gives ${samples.length} series; the detector learns at most ${maxSeries}`, {
      hint: 'Aggregate the expression, or raise max_series.',
    });
  }
  const values = new Map<string, number>();
  for (const { series, value } of samples) {
    if (values.has(series.json)) {
      throw new OpsError('input', `several series have the labels ${series.json} at ${new Date(atMs).toISOString()}`, {
        hint: 'Aggregate the expression: a name alone does not tell series apart.',
      });
    }
    values.set(series.json, value);
  }
  return values;
}

interface Stepping {
  readonly detector: AnomalyDetector;
  readonly alert: AlertOptions;
  readonly atMs: number;
}

interface Known {
  readonly labels: string;
  /** While it alerts. */
  readonly explanation: string | undefined;
  readonly bytes: Uint8Array | undefined;
}

interface Kept extends Known {
  readonly bytes: Uint8Array;
  /** When its last sample was. */
  readonly lastMs: number;
  readonly isGiven: boolean;
}

/** What is kept of a series after an evaluation; undefined for nothing. NaN is no sample. */
function stepSeries(stepping: Stepping, value: number | undefined, known: Known): Kept | undefined {
  const { detector, alert, atMs } = stepping;
  const state = readState(known.bytes, detector);
  if (value === undefined || Number.isNaN(value)) return stepMissing(stepping, state, known);
  const wasAnomalous = known.explanation !== undefined && known.bytes !== undefined && !Number.isNaN(unpackFigures(known.bytes).score);
  const verdict = updateDetector(state, atMs, value, detectorParameters, alert);
  const begins = verdict.score >= detector.score && verdict.reasons.length > 0;
  const isAnomalous = begins || (known.explanation !== undefined && verdict.rawScore >= detector.score);
  const isTold = wasAnomalous && !begins;
  const explanation = !isAnomalous ? undefined : isTold ? known.explanation : explainVerdict(value, verdict);
  const { score, low, high } = verdict;
  return { labels: known.labels, explanation, bytes: packSeries({ value, score, low, high }, state), lastMs: state.lastMs, isGiven: true };
}

function stepMissing({ detector, atMs }: Stepping, state: DetectorState, known: Known): Kept | undefined {
  const { bytes, labels } = known;
  if (bytes === undefined || Number.isNaN(state.lastMs) || atMs - state.lastMs >= detector.forgetAfterMs) return undefined;
  const sinceMs = detector.reasons.includes('missing-data') ? findMissing(detector, state, atMs) : undefined;
  const value = sinceMs === undefined ? Number.NaN : (atMs - state.lastMs) / 1_000;
  const explanation = sinceMs === undefined ? undefined : explainMissing(sinceMs, state.lastMs);
  const figures = { value, score: Number.NaN, low: Number.NaN, high: Number.NaN };
  return { labels, explanation, bytes: packSeries(figures, stateBytesOf(bytes)), lastMs: state.lastMs, isGiven: false };
}

function findMissing({ missingAfterMs }: AnomalyDetector, state: DetectorState, atMs: number): number | undefined {
  if (missingAfterMs === undefined) return missingSince(state, atMs);
  return atMs - state.lastMs >= missingAfterMs ? state.lastMs + missingAfterMs : undefined;
}

function readState(bytes: Uint8Array | undefined, { expectedIntervalMs }: AnomalyDetector): DetectorState {
  if (bytes === undefined) return createDetectorState({ expectedIntervalMs });
  return Object.assign(unpackState(bytes), { expectedIntervalMs: expectedIntervalMs ?? Number.NaN });
}

/** Series that are given all stay; of the others those that went first make room. */
function forgetLongestGone(kept: readonly Kept[], maxSeries: number): readonly Kept[] {
  const excess = kept.length - maxSeries;
  if (excess <= 0) return kept;
  const gone = kept.filter(({ isGiven }) => !isGiven).sort((a, b) => a.lastMs - b.lastMs);
  const forgotten = new Set(gone.slice(0, excess));
  return kept.filter((row) => !forgotten.has(row));
}

function toMemory(form: string, atMs: number, kept: readonly Kept[]): DetectorMemory {
  return {
    form,
    rows: kept.map(({ labels, explanation }) => (explanation === undefined ? [labels, null] : [labels, null, explanation])),
    packed: { atMs, states: kept.map(({ bytes }) => bytes) },
  };
}

/** What alerts, and the series of the band, out of what is remembered. */
function resultOf({ record }: AnomalyDetector, { rows, packed }: DetectorMemory): Omit<DetectorObserved, 'memory'> {
  const vector: ExplainedSample[] = [];
  const recorded: InstantSample[] = [];
  const names = bandSeries(record);
  for (const [i, [labels, , explanation]] of rows.entries()) {
    const figures = unpackFigures(packed?.states[i] as Uint8Array);
    if (explanation === undefined && Number.isNaN(figures.score)) continue;
    const series = seriesFromJson('', labels);
    if (explanation !== undefined) vector.push({ series, value: figures.value, explanation });
    for (const end of ['score', 'low', 'high'] as const) {
      if (!Number.isNaN(figures[end])) recorded.push({ series: { ...series, metric: names[end] }, value: figures[end] });
    }
  }
  return { vector, recorded };
}
