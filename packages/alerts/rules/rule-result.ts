import type { Alert, LabelSet } from '#model/alert.ts';
import { type Label, type Series, seriesKey } from '#model/series.ts';
import type { InstantSample } from '#ports/query.ts';
import type { ActiveAlert, RuleState } from './rule-state.ts';

/** One sample that an evaluation writes; all of one evaluation have one time. */
export interface RuleSample {
  readonly series: Series;
  readonly value: number;
  readonly stale: boolean;
}

/** Something happened to an alert. `dropped`: its series went away before it fired. */
export interface AlertChange {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'dropped';
  readonly alert: ActiveAlert;
  /** The expression of its rule, where there is one still: names of alerts are not unique in a group. */
  readonly expr?: string | undefined;
}

/** How a state differs from the one before: not at all, in values and annotations, or in what alerts there are and how they stand. */
export type StateDifference = 'none' | 'values' | 'alerts';

/** What one evaluation of one rule comes to. */
export interface RuleResult {
  readonly state: RuleState;
  readonly samples: readonly RuleSample[];
  readonly changes: readonly AlertChange[];
  readonly difference: StateDifference;
}

/** Stale markers for the series that are no longer written. */
export function staleMarkers(before: readonly Series[], written: readonly RuleSample[]): RuleSample[] {
  if (before.length === 0) return [];
  const keys = new Set(written.map(({ series }) => `${series.metric}\u0000${series.json}`));
  return before
    .filter((series) => !keys.has(`${series.metric}\u0000${series.json}`))
    .map((series) => ({ series, value: Number.NaN, stale: true }));
}

/** A result with the series that its rule records beside its alerts: what they were before and are no longer goes stale with it. */
export function addRecorded(result: RuleResult, recorded: readonly InstantSample[]): RuleResult {
  if (recorded.length === 0) return result;
  const keys = new Set(recorded.map(({ series }) => seriesKey(series)));
  const isOther = (series: Series) => !keys.has(seriesKey(series));
  const samples = result.samples.filter(({ series, stale }) => !stale || isOther(series));
  return {
    ...result,
    samples: [...samples, ...recorded.map(({ series, value }): RuleSample => ({ series, value, stale: false }))],
    state: { ...result.state, series: [...result.state.series.filter(isOther), ...recorded.map(({ series }) => series)] },
  };
}

/** The result of an evaluation that failed: the state stays as it is, and so do its series until one succeeds. */
export function failRule(state: RuleState, error: string): RuleResult {
  return { state: { ...state, error }, samples: [], changes: [], difference: state.error === error ? 'none' : 'values' };
}

/** A rule's alert as it is routed. While it fires it ends at `untilMs`, which whoever sends it again moves on. */
export function toAlert(
  alert: ActiveAlert,
  { untilMs, atMs, generatorUrl }: { untilMs: number; atMs: number; generatorUrl: string },
): Alert {
  return {
    labels: labelSet(alert.labels.labels),
    annotations: alert.annotations,
    startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
    endsAtMs: alert.resolvedAtMs ?? untilMs,
    updatedAtMs: atMs,
    generatorUrl,
  };
}

/** A list of labels as a set. */
export function labelSet(labels: readonly Label[]): LabelSet {
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}
