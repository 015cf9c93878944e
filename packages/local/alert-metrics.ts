import type { AlertObserver } from '#alerts/alert-observer.ts';
import type { MetricRegistry } from '#core/metrics.ts';

const LAG_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** Counts what the alert functions of this process did. */
export function alertMetrics(registry: MetricRegistry): AlertObserver {
  const evaluations = registry.counter('quarterdeck_alerts_evaluations_total', 'Evaluations of rule groups.');
  const failures = registry.counter('quarterdeck_alerts_rule_failures_total', 'Rules that failed, once for each evaluation.');
  const skipped = registry.counter('quarterdeck_alerts_skipped_evaluations_total', 'Evaluations left out because too many were due.');
  const lag = registry.histogram(
    'quarterdeck_alerts_evaluation_lag_seconds',
    'From the time evaluated until the end of the run.',
    LAG_SECONDS,
  );
  const dispatches = registry.counter('quarterdeck_alerts_dispatches_total', 'Looks at the alerts of a tenant.');
  const changes = registry.counter('quarterdeck_alerts_changes_total', 'Alerts that began or ended.');
  const held = registry.gauge('quarterdeck_alerts_held', 'Alerts that are held, at the last look.');
  const groups = registry.gauge('quarterdeck_alerts_groups', 'Groups that they are in, at the last look.');
  const notifications = registry.counter('quarterdeck_alerts_notifications_total', 'Notifications, by what became of a try.');
  return {
    evaluated(result, nowMs) {
      skipped.add({}, result.skipped);
      for (const { tenant, namespace, group, at, conflict, errors } of result.evaluations) {
        evaluations.add({ tenant, outcome: conflict ? 'conflict' : errors.length > 0 ? 'failed' : 'done' });
        if (errors.length > 0) failures.add({ tenant, namespace, group }, errors.length);
        if (!conflict) lag.observe({ tenant }, (nowMs - Date.parse(at)) / 1_000);
      }
    },
    dispatched(reports) {
      for (const report of reports) {
        const { tenant } = report;
        dispatches.add({ tenant, outcome: report.conflict ? 'conflict' : 'done' });
        if (report.conflict) continue;
        changes.add({ tenant }, report.changes);
        held.set({ tenant }, report.alerts);
        groups.set({ tenant }, report.groups);
      }
    },
    delivered(result) {
      for (const [outcome, count] of Object.entries(result)) {
        if (count > 0) notifications.add({ outcome: outcome === 'gaveUp' ? 'gave-up' : outcome }, count);
      }
    },
  };
}
