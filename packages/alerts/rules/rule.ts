import type { Detector } from '#alerts/detectors/detector.ts';
import type { LabelSet } from '#model/alert.ts';

/** A rule that alerts on every series that its expression gives. */
export interface AlertRule {
  readonly kind: 'alert';
  readonly name: string;
  readonly expr: string;
  /** How long a series has to be there before its alert fires. */
  readonly forMs: number;
  /** How long an alert goes on firing once its series is gone. */
  readonly keepFiringForMs: number;
  /** Templates by label, those of the group among them; a rule's own label wins. */
  readonly labels: LabelSet;
  /** Templates by annotation. */
  readonly annotations: LabelSet;
}

/** A rule that records what its expression gives as series of its name. */
export interface RecordingRule {
  readonly kind: 'record';
  readonly name: string;
  readonly expr: string;
  /** Those of the group among them; a rule's own label wins. Set as they are: no templates. */
  readonly labels: LabelSet;
}

/** A rule that alerts on what a detector finds in its expressions, over time. */
export interface DetectorRule extends Omit<AlertRule, 'kind'> {
  readonly kind: 'detector';
  /** The expression that is shown for it; the detector has all of them. */
  readonly expr: string;
  readonly detector: Detector;
}

/** Rules whose series make alerts. */
export type AlertingRule = AlertRule | DetectorRule;

export type Rule = AlertRule | RecordingRule | DetectorRule;

/** Rules that are evaluated together, one after another. */
export interface RuleGroup {
  readonly name: string;
  /** Distance of evaluations; undefined where the file leaves it to the server. */
  readonly intervalMs: number | undefined;
  /** How far back from its evaluation time a group looks; undefined where the file leaves it to the server. */
  readonly queryOffsetMs: number | undefined;
  /** Most series or alerts of one rule; 0 for no limit. */
  readonly limit: number;
  readonly labels: LabelSet;
  readonly rules: readonly Rule[];
}
