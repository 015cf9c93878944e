import type { DetectorMemory } from '#alerts/detectors/detector.ts';
import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';
import { type Label, type Series, seriesFromLabels } from '#model/series.ts';
import type { Rule } from './rule.ts';

/** Pending: its series is there, for less time than `for` asks. Inactive: it fired and is over, and is remembered for a while. */
export type AlertPhase = 'pending' | 'firing' | 'inactive';

/** One alert of a rule between evaluations. Times in ms. */
export interface ActiveAlert {
  /** Its labels, alertname among them, as a series without a metric. */
  readonly labels: Series;
  readonly annotations: LabelSet;
  readonly phase: AlertPhase;
  /** When its series was first there. */
  readonly activeAtMs: number;
  readonly firedAtMs: number | undefined;
  readonly resolvedAtMs: number | undefined;
  /** Since when it fires on although its series is gone. */
  readonly keepFiringSinceMs: number | undefined;
  /** What its series was last; not defined by its series while that is gone. */
  readonly value: number;
}

/** What one rule remembers, as plain data. */
export interface RuleState {
  readonly kind: Rule['kind'];
  readonly name: string;
  readonly labels: LabelSet;
  readonly alerts: readonly ActiveAlert[];
  /** Series that the last evaluation wrote, beside those that follow from `alerts`: each gets a stale marker when it is no longer written. */
  readonly series: readonly Series[];
  /** Why the last evaluation failed; '' where it did not. */
  readonly error: string;
  /** What a detector has learned. */
  readonly memory?: DetectorMemory | undefined;
}

/** The state of a rule that was never evaluated. */
export function newRuleState({ kind, name, labels }: Rule): RuleState {
  return { kind, name, labels, alerts: [], series: [], error: '' };
}

/** Same key, same rule: its expression, times and annotations may change, and its alerts go on. */
export function ruleKey({ kind, name, labels }: Pick<Rule, 'kind' | 'name' | 'labels'>): string {
  return `${kind}\u0000${name}\u0000${seriesFromLabels(toLabels(labels)).json}`;
}

/** The labels of a set as a list. */
export function toLabels(labels: LabelSet): Label[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value }));
}

/** Every series that the last evaluation of a rule wrote. */
export function writtenSeries(state: RuleState): Series[] {
  const written = [...state.series];
  for (const alert of state.alerts) if (alert.phase !== 'inactive') written.push(alertSeries(state, alert), forStateSeries(state, alert));
  return written;
}

/**
 * `ALERTS` of an alert. As in Prometheus it also has the rule's labels that the alert itself lacks, as they are written: those whose template
 * came out empty.
 */
export function alertSeries(rule: Pick<Rule, 'labels'>, alert: ActiveAlert): Series {
  const rest = writtenLabels(rule, alert).filter(({ name }) => name !== 'alertstate');
  const labels = [...rest, PHASE_LABELS[alert.phase]].sort((a, b) => compareUtf8(a.name, b.name));
  return { metric: 'ALERTS', labels, json: flatLabelsJson(labels) };
}

/** As `labelsJson`, in one piece: a text put together by `+` keeps its parts for as long as nobody reads it, several times its size. */
export function flatLabelsJson(labels: readonly Label[]): string {
  return `{${labels.map(({ name, value }) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** `ALERTS_FOR_STATE` of an alert; its value is when the alert became active, in whole seconds. */
export function forStateSeries(rule: Pick<Rule, 'labels'>, alert: ActiveAlert): Series {
  const labels = writtenLabels(rule, alert);
  if (labels === alert.labels.labels) return { metric: 'ALERTS_FOR_STATE', labels, json: alert.labels.json };
  return { ...seriesFromLabels(labels), metric: 'ALERTS_FOR_STATE' };
}

const PHASE_LABELS: Readonly<Record<AlertPhase, Label>> = {
  pending: { name: 'alertstate', value: 'pending' },
  firing: { name: 'alertstate', value: 'firing' },
  inactive: { name: 'alertstate', value: 'inactive' },
};

/** The alert's own labels, the very list where the rule adds none: of 100,000 alerts the objects are many enough as it is. */
function writtenLabels(rule: Pick<Rule, 'labels'>, { labels: { labels } }: ActiveAlert): readonly Label[] {
  const added = toLabels(rule.labels).filter(({ name, value }) => value !== '' && labels.every((label) => label.name !== name));
  return added.length === 0 ? labels : [...labels, ...added];
}
