import { DEFAULT_INTERVAL_MS } from '#alerts/evaluate/evaluate-due.ts';
import type { GroupView, RuleView } from '#alerts/evaluate/rule-view.ts';
import { labelSet } from '#alerts/rules/rule-result.ts';
import type { ActiveAlert } from '#alerts/rules/rule-state.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { formatExpr } from '#query/promql/print.ts';

/** What Go writes for a time that never was. */
const NEVER = '0001-01-01T00:00:00Z';

/** An alert as Prometheus' API shows it. */
export function alertJson({ labels, annotations, phase, activeAtMs, keepFiringSinceMs, value }: ActiveAlert) {
  return {
    labels: labelSet(labels.labels),
    annotations,
    state: phase,
    activeAt: isoTime(activeAtMs),
    ...(keepFiringSinceMs !== undefined && { keepFiringSince: isoTime(keepFiringSinceMs) }),
    value: formatExponent(value),
  };
}

/** The alerts of a rule that are pending or fire. */
export function activeAlerts({ state }: RuleView): ActiveAlert[] {
  return state?.alerts.filter(({ phase }) => phase !== 'inactive') ?? [];
}

/** A rule group as Prometheus' API shows it, with the rules given. */
export function groupJson({ namespace, group, pointer }: GroupView, rules: readonly unknown[]) {
  return {
    name: group.name,
    file: namespace,
    rules,
    interval: (group.intervalMs ?? DEFAULT_INTERVAL_MS) / 1_000,
    limit: group.limit,
    evaluationTime: (pointer?.durationMs ?? 0) / 1_000,
    lastEvaluation: pointer ? isoTime(pointer.evaluatedAtMs) : NEVER,
  };
}

/** A rule as Prometheus' API shows it, its expression laid out as there. How long each rule took is not measured, only its group: `evaluationTime` is 0. */
export function ruleJson({ pointer }: GroupView, view: RuleView, withAlerts: boolean) {
  const { rule, state } = view;
  const outcome = {
    health: state === undefined ? 'unknown' : state.error === '' ? 'ok' : 'err',
    ...(state?.error && { lastError: state.error }),
    evaluationTime: 0,
    lastEvaluation: state && pointer ? isoTime(pointer.evaluatedAtMs) : NEVER,
  };
  if (rule.kind === 'record') {
    const labels = Object.keys(rule.labels).length > 0 ? { labels: rule.labels } : {};
    return { name: rule.name, query: formatExpr(parseExpr(rule.expr)), ...labels, ...outcome, type: 'recording' };
  }
  return {
    state: stateOf(view),
    name: rule.name,
    query: formatExpr(parseExpr(rule.expr)),
    duration: rule.forMs / 1_000,
    keepFiringFor: rule.keepFiringForMs / 1_000,
    labels: rule.labels,
    annotations: rule.annotations,
    ...(withAlerts && { alerts: activeAlerts(view).map(alertJson) }),
    ...outcome,
    type: 'alerting',
  };
}

/** The worst state of a rule's alerts; `unknown` before its first evaluation, as in Prometheus 3. */
function stateOf({ state }: RuleView): string {
  if (state === undefined) return 'unknown';
  const phases = new Set(state.alerts.map(({ phase }) => phase));
  return phases.has('firing') ? 'firing' : phases.has('pending') ? 'pending' : 'inactive';
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Go's strconv.FormatFloat(value, 'e', -1, 64): `1.5e+00`. */
export function formatExponent(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const sign = Object.is(value, -0) ? '-' : '';
  return `${sign}${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
