import { alarmOn, alarmOnSilence } from './alarm.ts';
import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type FunctionPlan, type Functions } from './function.ts';
import { onPartitions, onTable, within } from './permissions.ts';
import { createReleaseSecrets } from './release-secrets.ts';
import { driverPermissions, hookPermissions, type ReleaseSettings, runningPermissions } from './release-targets.ts';
import { accountId } from './trust.ts';

/** The functions of releases, where their API is and where CI systems deliver to. */
export interface Releases {
  readonly url: $util.Output<string>;
  readonly webhooksUrl: $util.Output<string>;
  readonly functions: Functions;
}

type Permission = sst.aws.FunctionPermissionArgs;
type Environment = FunctionPlan['environment'];

/** The functions of functions/releases/, each one a line of what it may do. */
export function createReleases(events: Events, data: Data, settings: ReleaseSettings): Releases {
  const { blobs, table } = data;
  const secrets = createReleaseSecrets(settings);
  const reach = { QUARTERDECK_ALLOW_PRIVATE_TARGETS: settings.allowPrivateTargets ? 'on' : 'off' };
  const write = (...partitions: readonly string[]) =>
    onPartitions(table, partitions, 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem');
  // What has happened goes out at once, and not by the next minute's schedule.
  const publish = [
    onPartitions(table, ['outbox'], 'Query', 'PutItem', 'BatchWriteItem'),
    { actions: ['events:PutEvents'], resources: [events.bus.arn] },
  ];
  // What gates and judges ask: alerts, and samples of any age.
  const look = [
    onTable(table, 'GetItem', 'Query'),
    within(blobs, ['s3:GetObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold', 'alerts'),
  ];
  const define = (name: string, memory: FunctionPlan['memory'], environment: Environment, permissions: readonly Permission[]) =>
    defineFunction(events, data, name, {
      ...{ memory, permissions, timeout: '5 minutes', startedBy: 'events' },
      environment: { ...reach, ...environment },
    });
  const open = (name: string, environment: Environment, permissions: readonly Permission[]) =>
    defineFunction(events, data, name, {
      ...{ memory: '1024 MB', permissions, timeout: '1 minute', startedBy: 'url' },
      environment: { ...reach, ...environment },
    });

  const http = open('releases-http', settings.externalUrl ? { QUARTERDECK_EXTERNAL_URL: settings.externalUrl } : {}, [
    ...[write('releases/*'), ...publish, ...look],
    ...runningPermissions(settings, everyParameter()),
  ]);
  const url = { QUARTERDECK_EXTERNAL_URL: settings.externalUrl ?? http.url };
  const webhooks = open('releases-webhooks', secrets.webhooks, [onPartitions(table, ['releases/deliveries/*'], 'PutItem'), ...publish]);
  const functions = {
    'releases-http': http,
    'releases-webhooks': webhooks,
    'releases-advance': define('releases-advance', '1769 MB', { ...url, ...secrets.advance }, [
      ...[write('releases/*', 'flags/*', 'lease'), ...publish, ...look],
      ...driverPermissions(settings),
    ]),
    'releases-answer': define('releases-answer', '512 MB', secrets.answer, [
      onPartitions(table, ['releases/answers/*'], 'Query', 'PutItem', 'DeleteItem'),
      onPartitions(table, ['dead-letters'], 'BatchWriteItem'),
    ]),
    'releases-configure': define('releases-configure', '512 MB', {}, [
      onPartitions(table, ['releases/configuration/*'], 'Query', 'PutItem'),
      ...publish,
    ]),
    'releases-codedeploy-hook': defineFunction(events, data, 'releases-codedeploy-hook', {
      ...{ memory: '512 MB', timeout: '1 minute', startedBy: 'events', fullName: hookName() },
      permissions: [
        onPartitions(table, ['releases/_codedeploy', 'releases/deliveries/*'], 'PutItem'),
        ...[...publish, ...hookPermissions(settings)],
      ],
    }),
  };
  watch(events, functions);
  return { url: http.url, webhooksUrl: webhooks.url, functions };
}

/** The role that AWS has CodeDeploy take (AWSCodeDeployRoleForLambda) may call functions that begin so, and no others. */
function hookName(): string {
  return `CodeDeployHook_${$app.name}-${$app.stage}`;
}

/** Who lists parameters is asked for the right to all of an account and region. */
function everyParameter(): $util.Output<string> {
  const { partition } = aws.getPartitionOutput();
  const { region } = aws.getRegionOutput();
  return $interpolate`arn:${partition}:ssm:${region}:${accountId()}:*`;
}

function watch({ alarms }: Events, functions: Functions): void {
  alarmOnSilence(alarms, 'ReleasesAdvanceStopped', {
    description: 'releases-advance has not been started for ten minutes: no release goes on, and none is rolled back.',
    namespace: 'AWS/Lambda',
    metric: 'Invocations',
    dimensions: { FunctionName: functions['releases-advance'].name },
    periods: 2,
  });
  alarmOn(alarms, 'ReleasesAnswersGivenUp', {
    namespace: 'Quarterdeck',
    dimensions: {},
    metric: 'AnswersGivenUp',
    description: 'A CI provider could not be told what became of a release: a pipeline may wait. The dead letters say which and why.',
  });
}
