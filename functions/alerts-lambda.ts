import type { AlertObserver } from '#alerts/alert-observer.ts';
import { functionName } from '#config/deployment.ts';
import type { AwsNeeds } from './aws-deps.ts';
import { type OpsFunction, onLambda, writeLogLine } from './lambda.ts';
import { loadWholeConfig } from './whole-config.ts';

/** Groups that one line names. */
const MAX_TOLD = 50;

/** The need of those that start the next function by an event. */
export const publishing: AwsNeeds = { bus: async (busName) => (await import('./aws-bus.ts')).openAwsBus(busName) };

/** The Lambda handler of a function of alerts: what goes wrong is logged so that CloudWatch counts it. */
export function onAlertsLambda(run: OpsFunction, needs: AwsNeeds = {}): ReturnType<typeof onLambda> {
  const observer = createLogObserver(Date.now, functionName(), writeLogLine);
  return onLambda((deps, event) => run({ ...deps, alertObserver: observer }, event), { ...needs, load: loadWholeConfig });
}

/** One line for each run in which something failed, in CloudWatch's embedded metric format: a metric that nothing feeds costs nothing. */
function createLogObserver(now: () => number, name: string, write: (line: string) => void): AlertObserver {
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
