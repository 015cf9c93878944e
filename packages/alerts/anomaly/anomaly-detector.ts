import type { ReasonCode } from './reasons.ts';

/** A detector that learns each series of an expression, and finds what is unusual for it. */
export interface AnomalyDetector {
  readonly kind: 'anomaly';
  readonly expr: string;
  /** The least score that is an alert. */
  readonly score: number;
  /** Reasons that count. */
  readonly reasons: readonly ReasonCode[];
  /** How often samples are due; undefined: learned. */
  readonly expectedIntervalMs: number | undefined;
  /** How long after its last sample a series is missing; undefined: by its interval. */
  readonly missingAfterMs: number | undefined;
  /** How long after its last sample a series is forgotten. */
  readonly forgetAfterMs: number;
  readonly maxSeries: number;
  /** What the names of the band's series begin with. */
  readonly record: string;
}

/** Names of the series that say of each series how unusual it was, and between what it was expected. */
export function bandSeries(record: string): Readonly<Record<'score' | 'low' | 'high', string>> {
  return { score: `${record}:anomaly_score`, low: `${record}:anomaly_low`, high: `${record}:anomaly_high` };
}
