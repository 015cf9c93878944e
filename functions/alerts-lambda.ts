import { functionName } from '#config/deployment.ts';
import { createLogObserver } from './alert-log.ts';
import { compileAlerting } from './alerting.ts';
import type { AwsNeeds } from './aws-deps.ts';
import { type OpsFunction, onLambda, writeLogLine } from './lambda.ts';
import { loadWith } from './load-config.ts';

/** The Lambda handler of a function of alerts: what goes wrong is logged so that CloudWatch counts it. */
export function onAlertsLambda(run: OpsFunction, needs: AwsNeeds = {}): ReturnType<typeof onLambda> {
  const observer = createLogObserver(Date.now, functionName(), writeLogLine);
  return onLambda((deps, event) => run({ ...deps, alertObserver: observer }, event), { ...needs, load: loadWith(compileAlerting) });
}
