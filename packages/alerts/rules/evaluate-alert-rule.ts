import type { ExplainedSample } from '#alerts/detectors/detector.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Series } from '#model/series.ts';
import { expandAlert, type RenderTemplate } from './expand-alert.ts';
import type { AlertingRule } from './rule.ts';
import { type AlertChange, failRule, type RuleResult, type RuleSample, type StateDifference, staleMarkers } from './rule-result.ts';
import { type ActiveAlert, alertSeries, forStateSeries, type RuleState, writtenSeries } from './rule-state.ts';

/** How long a resolved alert is remembered, as in Prometheus. */
const RESOLVED_RETENTION_MS = 15 * 60_000;

/** What one evaluation of a rule has to go by. */
export interface RuleInput<R> {
  readonly rule: R;
  readonly state: RuleState;
  /** What its expression gave. */
  readonly vector: readonly ExplainedSample[];
  readonly atMs: number;
  /** The group's; 0 for none. */
  readonly limit: number;
}

/**
 * One evaluation of an alerting rule, with the states and times of Prometheus 3. A new series is pending and fires once it has been there for
 * `for`, in the same evaluation where that is 0. One that goes away ends a pending alert without a trace, and a firing one after
 * `keep_firing_for`; what is resolved is remembered for 15 minutes. Two series that come to the same labels fail the rule and leave its
 * alerts as they are. More alerts than the limit fail it too and forget them all; those that fired are told as resolved, since nothing would
 * end them later.
 */
export async function evaluateAlertRule(deps: { render: RenderTemplate }, input: RuleInput<AlertingRule>): Promise<RuleResult> {
  const { rule, state, atMs, limit } = input;
  const found = await expandVector(deps.render, input);
  if (typeof found === 'string') return failRule(state, found);
  const { alerts, changes, difference } = advanceAlerts(rule, state.alerts, found, atMs);
  const active = alerts.filter(({ phase }) => phase !== 'inactive');
  const error = limit > 0 && active.length > limit ? `exceeded limit of ${limit} with ${active.length} alerts` : '';
  if (error !== '') {
    const resolved = state.alerts.filter(({ phase }) => phase === 'firing').map((alert) => endAlert(alert, atMs));
    const forgotten = { ...state, alerts: [], series: writtenSeries(state), error };
    return { state: forgotten, samples: [], changes: resolved, difference: state.alerts.length > 0 ? 'alerts' : 'values' };
  }
  const samples = active.flatMap((alert): RuleSample[] => [
    { series: alertSeries(rule, alert), value: 1, stale: false },
    { series: forStateSeries(rule, alert), value: Math.floor(alert.activeAtMs / 1_000), stale: false },
  ]);
  return {
    state: { ...state, alerts, series: [], error: '' },
    samples: [...samples, ...staleMarkers([...state.series, ...endedSeries(state, active)], samples)],
    changes,
    difference: difference === 'none' && (state.error !== '' || state.series.length > 0) ? 'values' : difference,
  };
}

/** What the last evaluation wrote of alerts that are gone, or are in another phase now: of a storm that goes on, nothing. */
function endedSeries(state: RuleState, active: readonly ActiveAlert[]): Series[] {
  const phases = new Map(active.map(({ labels, phase }) => [labels.json, phase]));
  return state.alerts.flatMap((alert) => {
    const phase = phases.get(alert.labels.json);
    if (alert.phase === 'inactive' || alert.phase === phase) return [];
    return phase === undefined ? [alertSeries(state, alert), forStateSeries(state, alert)] : [alertSeries(state, alert)];
  });
}

/** A firing alert as it ends. */
export function endAlert(alert: ActiveAlert, atMs: number): AlertChange {
  return { kind: 'resolved', alert: { ...alert, phase: 'inactive', resolvedAtMs: atMs } };
}

/** New alerts by the JSON of their labels, or why there can be none. */
async function expandVector(
  render: RenderTemplate,
  { rule, vector, atMs }: RuleInput<AlertingRule>,
): Promise<Map<string, ActiveAlert> | string> {
  const found = new Map<string, ActiveAlert>();
  for (const sample of vector) {
    const { labels, annotations } = await expandAlert(render, rule, sample, atMs);
    if (found.has(labels.json)) return 'vector contains metrics with the same labelset after applying alert labels';
    const times = { activeAtMs: atMs, firedAtMs: undefined, resolvedAtMs: undefined, keepFiringSinceMs: undefined };
    found.set(labels.json, { labels, annotations, phase: 'pending', value: sample.value, ...times });
  }
  return found;
}

interface Advanced {
  readonly alerts: readonly ActiveAlert[];
  readonly changes: readonly AlertChange[];
  readonly difference: StateDifference;
}

function advanceAlerts(rule: AlertingRule, known: readonly ActiveAlert[], found: Map<string, ActiveAlert>, atMs: number): Advanced {
  const alerts: ActiveAlert[] = [];
  const changes: AlertChange[] = [];
  let isChanged = false;
  let isUpdated = false;
  const keep = (before: ActiveAlert | undefined, alert: ActiveAlert) => {
    const after = alert.phase === 'pending' && atMs - alert.activeAtMs >= rule.forMs ? fire(alert, atMs) : alert;
    alerts.push(after);
    isChanged ||= before === undefined || before.phase !== after.phase || before.keepFiringSinceMs !== after.keepFiringSinceMs;
    isUpdated ||= before === undefined || !Object.is(before.value, after.value) || !sameTexts(before.annotations, after.annotations);
    if (after.phase === 'inactive') return;
    if (before?.phase !== after.phase) changes.push({ kind: after.phase, alert: after });
  };
  const isNew = new Map(found);
  for (const before of known) {
    const now = found.get(before.labels.json);
    if (now === undefined) {
      const after = withoutSeries(rule, before, atMs);
      if (after === undefined) {
        isChanged = true;
        if (before.phase === 'pending') changes.push({ kind: 'dropped', alert: before });
        continue;
      }
      if (before.phase === 'firing' && after.phase === 'inactive') changes.push({ kind: 'resolved', alert: after });
      keep(before, after);
    } else if (before.phase !== 'inactive') {
      keep(before, { ...before, value: now.value, annotations: now.annotations, keepFiringSinceMs: undefined });
      isNew.delete(before.labels.json);
    }
  }
  for (const alert of isNew.values()) keep(undefined, alert);
  return { alerts, changes, difference: isChanged ? 'alerts' : isUpdated ? 'values' : 'none' };
}

function fire(alert: ActiveAlert, atMs: number): ActiveAlert {
  return { ...alert, phase: 'firing', firedAtMs: atMs };
}

/** What becomes of an alert whose series is not there; undefined where nothing is left of it. */
function withoutSeries(rule: AlertingRule, alert: ActiveAlert, atMs: number): ActiveAlert | undefined {
  if (alert.phase === 'pending') return undefined;
  if (alert.phase === 'inactive') return atMs - (alert.resolvedAtMs ?? atMs) > RESOLVED_RETENTION_MS ? undefined : alert;
  const keepFiringSinceMs = rule.keepFiringForMs > 0 ? (alert.keepFiringSinceMs ?? atMs) : alert.keepFiringSinceMs;
  if (keepFiringSinceMs !== undefined && atMs - keepFiringSinceMs < rule.keepFiringForMs) return { ...alert, keepFiringSinceMs };
  return { ...alert, keepFiringSinceMs, phase: 'inactive', resolvedAtMs: atMs };
}

function sameTexts(a: LabelSet, b: LabelSet): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
