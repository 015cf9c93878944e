/** Labels of an alert by name, `alertname` among them; no empty values. */
export type LabelSet = Readonly<Record<string, string>>;

/**
 * One alert as it is routed and told: what Alertmanager calls an alert. It is the same alert as long as its labels are the same;
 * it fires until `endsAtMs`.
 */
export interface Alert {
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly startsAtMs: number;
  /** After this it counts as resolved; a firing alert is sent again, with a later end, before it is reached. */
  readonly endsAtMs: number;
  /** When it was last told of. */
  readonly updatedAtMs: number;
  /** Where to see what it was made from; may be empty. */
  readonly generatorUrl: string;
}
