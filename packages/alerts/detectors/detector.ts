import type { AnomalyDetector } from '#alerts/anomaly/anomaly-detector.ts';
import type { PatternDetector } from '#alerts/pattern/pattern.ts';
import type { InstantSample } from '#ports/query.ts';

/** What finds something in series over time, told apart by `kind`. */
export type Detector = PatternDetector | AnomalyDetector;

/**
 * What a detector remembers between evaluations, as plain JSON and, where that would be large, bytes. `form` names its definition and the version of its rows: where it is another
 * one than the detector's, what is remembered is of no use and the detector starts anew.
 */
export interface DetectorMemory {
  readonly form: string;
  /** One for each label set: its labels as canonical JSON, what the detector keeps of it, and while it is found, why. */
  readonly rows: readonly (readonly [labels: string, row: unknown, explanation?: string])[];
  /** Bytes of each row, in their order, and the time of the evaluation that they are of. */
  readonly packed?: { readonly atMs: number; readonly states: readonly Uint8Array[] } | undefined;
}

/** What one evaluation of a detector comes to. */
export interface DetectorObserved {
  /** The label sets that it finds something in, which alert. */
  readonly vector: readonly ExplainedSample[];
  /** Series that it writes beside its alerts. */
  readonly recorded?: readonly InstantSample[] | undefined;
  /** The same object as before where nothing has changed. */
  readonly memory: DetectorMemory;
}

/** A series that alerts, and why where that is known: templates see it as the label `__explanation__`, and it is the annotation `explanation` where the rule has none of that name. */
export interface ExplainedSample extends InstantSample {
  readonly explanation?: string | undefined;
}
