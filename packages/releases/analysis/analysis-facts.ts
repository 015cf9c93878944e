import { parseDuration } from '#core/duration.ts';
import type { Json } from '#model/json.ts';
import type { AnalysisFacts } from '#releases/application/application-file.ts';
import type { Analysis } from './analysis.ts';

/** What gates have to know of an analysis that was read. */
export function describeAnalysis(json: Json): AnalysisFacts {
  const { interval, metrics } = json as unknown as Analysis;
  return {
    intervalMs: parseDuration(interval),
    needsStable: metrics.some((metric) => metric.kind !== 'threshold' && !metric.dryRun && metric.baseline === 'control'),
  };
}
