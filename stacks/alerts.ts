import { alarmOn, alarmOnSilence } from './alarm.ts';
import { type AlertSettings, targetPermissions } from './alert-targets.ts';
import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type FunctionPlan, type Functions } from './function.ts';
import { onPartitions, onTable, within } from './permissions.ts';

/** What all of them touch of the table: alerts, leases, the outbox that their events go to, and what was given up. */
const PARTITIONS = ['alerts/*', 'lease', 'outbox', 'dead-letters'];

/** The functions of alerting, and where its API is. */
export interface Alerts {
  readonly url: $util.Output<string>;
  readonly functions: Functions;
}

/** The functions of functions/alerts/, each one a line of what it may do. */
export function createAlerts(events: Events, data: Data, queryUrl: $util.Input<string>, settings: AlertSettings): Alerts {
  const { blobs, table } = data;
  const environment = {
    QUARTERDECK_EXTERNAL_URL: settings.externalUrl ?? queryUrl,
    QUARTERDECK_ALLOW_PRIVATE_TARGETS: settings.allowPrivateTargets ? 'on' : 'off',
  };
  const own = [
    onPartitions(table, PARTITIONS, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'ConditionCheckItem'),
    within(blobs, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 'alerts'),
  ];
  const publish = { actions: ['events:PutEvents'], resources: [events.bus.arn] };
  // Of any age.
  const readSamples = [
    onTable(table, 'GetItem', 'Query'),
    within(blobs, ['s3:GetObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold'),
  ];
  // Through ingest.
  const writeSamples = [onTable(table, 'PutItem', 'BatchWriteItem', 'ConditionCheckItem'), within(blobs, ['s3:PutObject'], 'segments')];
  const define = (name: string, memory: FunctionPlan['memory'], permissions: readonly sst.aws.FunctionPermissionArgs[]) =>
    defineFunction(events, data, name, {
      ...{ memory, environment, timeout: '5 minutes', startedBy: 'events' },
      permissions: [...own, ...permissions],
    });
  // Answers, and takes alerts, silences and rules in: it evaluates nothing, tells nobody, and publishes only that alerts wait.
  const http = defineFunction(events, data, 'alerts-http', {
    ...{ memory: '1024 MB', environment, timeout: '1 minute', startedBy: 'url' },
    permissions: [
      onPartitions(table, ['alerts/*'], 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'),
      within(blobs, ['s3:GetObject', 's3:PutObject'], 'alerts'),
      publish,
      ...readSamples,
    ],
  });
  const functions = {
    'alerts-evaluate': define('alerts-evaluate', '1769 MB', [publish, ...readSamples, ...writeSamples]),
    'alerts-dispatch': define('alerts-dispatch', '1024 MB', [publish]),
    'alerts-correlate': define('alerts-correlate', '1024 MB', [publish]),
    'alerts-deliver': define('alerts-deliver', '512 MB', targetPermissions(settings)),
    'alerts-http': http,
  };
  watch(events, functions);
  return { url: http.url, functions };
}

function watch({ alarms }: Events, functions: Functions): void {
  alarmOnSilence(alarms, 'AlertsEvaluateStopped', {
    description: 'alerts-evaluate has not been started for ten minutes: no rule is evaluated, and no alert fires or ends.',
    namespace: 'AWS/Lambda',
    metric: 'Invocations',
    dimensions: { FunctionName: functions['alerts-evaluate'].name },
    periods: 2,
  });
  // Alerts tell of these too; but whom, if it is the receiver that is broken?
  alarmOn(alarms, 'AlertsNotificationsGivenUp', {
    namespace: 'Quarterdeck',
    dimensions: { FunctionName: functions['alerts-deliver'].name },
    metric: 'NotificationsGivenUp',
    description: 'A notification could not be delivered. The dead letters say which and why.',
  });
  alarmOn(alarms, 'AlertsRulesFailed', {
    namespace: 'Quarterdeck',
    dimensions: { FunctionName: functions['alerts-evaluate'].name },
    metric: 'RulesFailed',
    periods: 3,
    description: 'Rules have failed for a quarter of an hour. The log of alerts-evaluate says which and why.',
  });
}
