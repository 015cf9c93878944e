import * as z from 'zod';
import { durationField, strictFields } from '#model/strict-fields.ts';
import type { AnomalyDetector } from './anomaly-detector.ts';
import { reasonCodes } from './reasons.ts';

/** Of series sampled each minute, docs/alerts/anomaly.md says how often noise reaches it. */
const SCORE = 0.9;
const MAX_SERIES = 1_000;
/** Most that a file may ask for: what is remembered of as many takes 30 MB, which is written at each evaluation. */
const MOST_SERIES = 10_000;
const WEEK_MS = 7 * 86_400_000;
/** How many intervals an anomaly that is over goes on firing. */
const KEEP_INTERVALS = 15;

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** The fields of a detector of anomalies. */
export const AnomalyFields = {
  expr: z.string().min(1, 'must not be empty'),
  score: z.number().min(0.632).lt(1).optional(),
  reasons: z.array(z.enum(reasonCodes)).min(1).optional(),
  expected_interval: durationField('1s').optional(),
  missing_after: durationField('1s').optional(),
  forget_after: durationField('1s').optional(),
  max_series: z.int().min(1).max(MOST_SERIES).optional(),
  record: z.string().regex(METRIC, 'must be the name of a metric: letters, digits, _ and :').optional(),
};

const Written = strictFields(AnomalyFields);
type Written = z.infer<typeof Written>;

/** The detector that is meant by the fields of an alert of that name. */
export function toAnomaly(written: Written, alert: string): AnomalyDetector {
  const { missing_after: missingAfterMs, expected_interval: expectedIntervalMs } = written;
  return {
    kind: 'anomaly',
    expr: written.expr,
    score: written.score ?? SCORE,
    reasons: written.reasons ?? reasonCodes,
    expectedIntervalMs,
    missingAfterMs,
    forgetAfterMs: written.forget_after ?? Math.max(WEEK_MS, 2 * (missingAfterMs ?? 0), 10 * (expectedIntervalMs ?? 0)),
    maxSeries: written.max_series ?? MAX_SERIES,
    record: written.record ?? recordOf(alert),
  };
}

/** An alert's name with `_` for what needs quotes in an expression. */
function recordOf(alert: string): string {
  const name = alert.replace(/[^a-zA-Z0-9_:]/gu, '_');
  return METRIC.test(name) ? name : `_${name}`;
}

/** How long an anomaly fires on by default. Its scores are silent for longer: what comes back within that is told only if it is much worse. */
export function defaultKeepFiringMs(intervalMs: number): number {
  return KEEP_INTERVALS * intervalMs;
}
