import type { AlertObserver } from '#alerts/alert-observer.ts';

/** Groups that one line names. */
const MAX_TOLD = 50;

/** One line for each run in which something failed, in CloudWatch's embedded metric format: a metric that nothing feeds costs nothing. */
export function createLogObserver(now: () => number, name: string, write: (line: string) => void): AlertObserver {
  const count = (metric: string, value: number, why: Readonly<Record<string, unknown>>) => {
    if (value === 0) return;
    const Metrics = [{ Name: metric, Unit: 'Count' }];
    const CloudWatchMetrics = [{ Namespace: 'Quarterdeck', Dimensions: [['FunctionName']], Metrics }];
    write(JSON.stringify({ _aws: { Timestamp: now(), CloudWatchMetrics }, FunctionName: name, [metric]: value, ...why }));
  };
  return {
    evaluated({ evaluations, skipped }) {
      const failed = evaluations.filter(({ errors }) => errors.length > 0);
      const rules = failed.map(({ tenant, namespace, group, at, errors }) => ({ tenant, namespace, group, at, error: errors[0] }));
      count(
        'RulesFailed',
        failed.map(({ errors }) => errors.length).reduce((a, b) => a + b, 0),
        { rules: rules.slice(0, MAX_TOLD) },
      );
      count('EvaluationsSkipped', skipped, {});
    },
    dispatched() {},
    delivered: ({ gaveUp }) => count('NotificationsGivenUp', gaveUp, {}),
  };
}
