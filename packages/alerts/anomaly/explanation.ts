import { formatValue, isoSecond } from '#alerts/pattern/words.ts';
import type { Verdict } from './update-detector.ts';

/** `39200 where 2035 to 28390 is expected (score 0.998): new-extreme: 39200 is above all that is remembered (...); spike: ...` */
export function explainVerdict(value: number, { score, rawScore, low, high, reasons }: Verdict): string {
  const band = Number.isNaN(low) ? '' : ` where ${formatValue(low)} to ${formatValue(high)} is expected`;
  const why = reasons.map(({ code, text }) => `${code}: ${text}`).join('; ');
  return `${formatValue(value)}${band} (score ${formatScore(Math.max(score, rawScore))}): ${why}`;
}

/** `missing-data: no sample since one was due at 2026-01-02T03:04:05Z; the last was at 2026-01-02T03:03:05Z` */
export function explainMissing(sinceMs: number, lastMs: number): string {
  return `missing-data: no sample since one was due at ${isoSecond(sinceMs)}; the last was at ${isoSecond(lastMs)}`;
}

/** Three digits, and never 1, which no score is. */
function formatScore(score: number): string {
  return String(Math.min(0.999, Number(score.toFixed(3))));
}
