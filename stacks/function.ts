import { alarmOn } from './alarm.ts';
import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { onTable, within } from './permissions.ts';
import { accountId, serviceTrust } from './trust.ts';

/** By name: the path in functions/ with dashes. */
export type Functions = Readonly<Record<string, sst.aws.Function>>;

/** What is special about a function. */
export interface FunctionPlan {
  readonly memory: `${number} MB`;
  readonly timeout: `${number} ${'second' | 'seconds' | 'minute' | 'minutes'}`;
  /** `events`: schedules, rules and services, which do not wait for it; `call`: somebody who waits for its result. */
  readonly startedBy: 'url' | 'events' | 'queue' | 'call';
  /** Beyond its log, the configuration and, for `events`, the dead-letter queue. */
  readonly permissions: readonly sst.aws.FunctionPermissionArgs[];
  /** Settings beside the names of the data. */
  readonly environment?: Readonly<Record<string, $util.Input<string>>> | undefined;
  /** In place of `quarterdeck-<stage>-<name>`, where whoever calls it takes no other. */
  readonly fullName?: string | undefined;
  /** The answer goes out while it is made. */
  readonly streams?: boolean | undefined;
}

/** Partitions of the table that only their own functions write: API keys, and the pointer to the configuration. */
const GUARDED_PARTITIONS = ['api-keys', 'config'];
const KEY_FUNCTIONS = ['api-create-key', 'api-delete-key'];

/**
 * A Lambda function with a role of its own, a log that ends, an alarm on its errors and, where nobody waits for it, two retries
 * and the dead-letter queue. It is called `quarterdeck-<stage>-<name>`.
 */
export function defineFunction(events: Events, data: Data, name: string, plan: FunctionPlan): sst.aws.Function {
  const component = name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
  const physicalName = plan.fullName ?? `${$app.name}-${$app.stage}-${name}`;
  const isAsync = plan.startedBy === 'events';
  const isPublic = plan.startedBy === 'url';
  const defined = new sst.aws.Function(component, {
    name: physicalName,
    handler: `functions/${name.replace('-', '/')}.handler`,
    runtime: 'nodejs24.x',
    architecture: 'arm64',
    memory: plan.memory,
    timeout: plan.timeout,
    logging: { retention: '1 month', format: 'json' },
    nodejs: { minify: true },
    environment: $util
      .all([sst.Linkable.env([data.blobs, data.uploads, data.table, events.bus]), plan.environment ?? {}])
      .apply(([names, more]) => ({ ...names, ...more })),
    permissions: [
      ...plan.permissions,
      onTable(data.table, 'GetItem'),
      within(data.blobs, ['s3:GetObject'], 'config'),
      { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logStreams(physicalName)] },
      ...(isAsync ? [{ actions: ['sqs:SendMessage'], resources: [events.deadLetters.arn] }] : []),
      ...(KEY_FUNCTIONS.includes(name) ? [] : [guardPartitions(data.table)]),
    ],
    // Everybody reaches the URL, and the API refuses whoever brings no key; browsers are not let in from other sites.
    ...(isPublic && { url: { authorization: 'none', cors: false }, streaming: plan.streams ?? false }),
    ...(isAsync && { retries: 2 }),
    transform: {
      role: { assumeRolePolicy: serviceTrust('lambda.amazonaws.com'), managedPolicyArns: [] },
      eventInvokeConfig: { maximumEventAgeInSeconds: 3_600, destinationConfig: { onFailure: { destination: events.deadLetters.arn } } },
      function: isPublic ? silenceRequests : {},
    },
  });
  watch(events, component, defined, name, isPublic);
  return defined;
}

/** Three lines of the runtime's own for each request would cost as much as the request. */
function silenceRequests(args: aws.lambda.FunctionArgs): undefined {
  args.loggingConfig = $output(args.loggingConfig).apply(async (config) => ({
    ...config,
    logFormat: 'JSON',
    systemLogLevel: 'WARN',
  }));
}

function logStreams(functionName: string): $util.Output<string> {
  const { partition } = aws.getPartitionOutput();
  const { region } = aws.getRegionOutput();
  return $interpolate`arn:${partition}:logs:${region}:${accountId()}:log-group:/aws/lambda/${functionName}:*`;
}

function guardPartitions(table: sst.aws.Dynamo): sst.aws.FunctionPermissionArgs {
  return {
    effect: 'deny',
    actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
    resources: [table.arn],
    conditions: [{ test: 'ForAnyValue:StringEquals', variable: 'dynamodb:LeadingKeys', values: GUARDED_PARTITIONS }],
  };
}

function watch({ alarms }: Events, component: string, defined: sst.aws.Function, name: string, isPublic: boolean): void {
  const of = { namespace: 'AWS/Lambda', dimensions: { FunctionName: defined.name } };
  alarmOn(alarms, `${component}Errors`, { ...of, metric: 'Errors', description: `${name} failed. Its log says why.` });
  if (!isPublic) return;
  const description = `Requests to ${name} found no free function: raise the account's concurrency, or send larger batches.`;
  alarmOn(alarms, `${component}Throttles`, { ...of, metric: 'Throttles', description });
}
