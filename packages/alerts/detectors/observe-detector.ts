import { observeAnomaly } from '#alerts/anomaly/observe-anomaly.ts';
import { observePattern } from '#alerts/pattern/observe-pattern.ts';
import type { InstantSample } from '#ports/query.ts';
import type { Detector, DetectorMemory, DetectorObserved } from './detector.ts';

export interface ObserveDetectorInput {
  readonly detector: Detector;
  /** As it was given last; undefined for a detector that is new. */
  readonly memory: DetectorMemory | undefined;
  readonly atMs: number;
}

/** One evaluation of a detector, up to the series that alert. `input` for series that it cannot tell apart, `limit` for more than it may remember, and whatever `ask` fails with. */
export async function observeDetector(
  { ask }: { ask: (expr: string) => Promise<readonly InstantSample[]> },
  { detector, memory, atMs }: ObserveDetectorInput,
): Promise<DetectorObserved> {
  if (detector.kind === 'anomaly') return observeAnomaly({ ask }, { detector, memory, atMs });
  return observePattern({ ask }, { detector, memory, atMs });
}
