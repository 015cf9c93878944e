import { schedules } from '#functions/schedules.ts';
import { type Subscription, subscriptions } from '#functions/subscriptions.ts';
import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onTable } from './permissions.ts';
import { serviceTrust } from './trust.ts';

/** Starts every function by what starts it: schedules, rules, and the dead-letter queue. */
export function connectEvents(events: Events, data: Data, functions: Functions): void {
  for (const { name, function: target, expression, input } of schedules) {
    new sst.aws.CronV2(componentName('Schedule', name), {
      function: functionOf(functions, target),
      schedule: expression as `rate(${string})`,
      event: input ?? {},
      retries: 3,
      dlq: events.deadLetters.arn,
      transform: { role: { assumeRolePolicy: serviceTrust('scheduler.amazonaws.com') }, schedule: limitAge },
    });
  }
  const rules = subscriptions.map((subscription) => createRule(events, data, subscription, functionOf(functions, subscription.function)));
  letRulesSend(events.deadLetters, rules);
  drainDeadLetters(events, data);
}

function componentName(kind: string, name: string): string {
  return kind + name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function functionOf(functions: Functions, name: string): sst.aws.Function {
  const found = functions[name];
  if (!found) throw new Error(`functions/ names ${name}, which no stack defines`);
  return found;
}

/** A start that could not be delivered for an hour is overtaken by the next ones. */
function limitAge(args: aws.scheduler.ScheduleArgs): undefined {
  const target = $output(args.target).apply(async (known) => ({
    ...known,
    retryPolicy: { maximumRetryAttempts: 3, ...known.retryPolicy, maximumEventAgeInSeconds: 3_600 },
  }));
  args.target = target;
}

/**
 * A rule on our bus or, for what AWS itself tells of our upload bucket, on the account's default one. Raw resources, because
 * SST's subscriber takes patterns without their own names and has no dead-letter queue.
 */
function createRule(events: Events, data: Data, { name, pattern }: Subscription, target: sst.aws.Function): aws.cloudwatch.EventRule {
  const component = componentName('Rule', name);
  const isForeign = pattern.source.some((source) => source.startsWith('aws.'));
  const eventBusName = isForeign ? 'default' : events.bus.name;
  const detail = isForeign ? { ...pattern.detail, bucket: { name: [data.uploads.name] } } : pattern.detail;
  const rule = new aws.cloudwatch.EventRule(component, {
    name: `${$app.name}-${$app.stage}-${name}`,
    eventBusName,
    eventPattern: $jsonStringify(detail === undefined ? pattern : { ...pattern, detail }),
  });
  const permission = new aws.lambda.Permission(`${component}Permission`, {
    action: 'lambda:InvokeFunction',
    function: target.name,
    principal: 'events.amazonaws.com',
    sourceArn: rule.arn,
  });
  new aws.cloudwatch.EventTarget(
    `${component}Target`,
    {
      rule: rule.name,
      eventBusName,
      arn: target.arn,
      deadLetterConfig: { arn: events.deadLetters.arn },
      retryPolicy: { maximumRetryAttempts: 20, maximumEventAgeInSeconds: 21_600 },
    },
    { dependsOn: [permission] },
  );
  return rule;
}

/** EventBridge sends to the queue in its own name; the Scheduler and Lambda use roles of ours. */
function letRulesSend(queue: sst.aws.Queue, rules: readonly aws.cloudwatch.EventRule[]): void {
  new aws.sqs.QueuePolicy('DeadLettersPolicy', {
    queueUrl: queue.url,
    policy: aws.iam.getPolicyDocumentOutput({
      statements: [
        {
          principals: [{ type: 'Service', identifiers: ['events.amazonaws.com'] }],
          actions: ['sqs:SendMessage'],
          resources: [queue.arn],
          conditions: [{ test: 'ArnEquals', variable: 'aws:SourceArn', values: rules.map((rule) => rule.arn) }],
        },
      ],
    }).json,
  });
}

function drainDeadLetters(events: Events, data: Data): void {
  const drain = defineFunction(events, data, 'events-drain', {
    memory: '256 MB',
    timeout: '1 minute',
    startedBy: 'queue',
    permissions: [
      { actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], resources: [events.deadLetters.arn] },
      onTable(data.table, 'BatchWriteItem'),
    ],
  });
  new aws.lambda.EventSourceMapping('EventsDrainSource', {
    eventSourceArn: events.deadLetters.arn,
    functionName: drain.name,
    batchSize: 10,
    maximumBatchingWindowInSeconds: 5,
  });
}
