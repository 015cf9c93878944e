import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { schedules } from '#functions/schedules.ts';
import { subscriptions } from '#functions/subscriptions.ts';
import { type Deployed, deadLetters, deploy, ownName } from './deployed.ts';
import { root } from './sst-platform.ts';

/** Whoever may invoke them does so by hand; no event starts them. */
const startedByHand = ['api-create-key', 'api-delete-key'];
/** CodeDeploy does, by its own role. */
const startedByService = ['releases-codedeploy-hook'];

let deployed: Deployed;

beforeAll(async () => {
  deployed = await deploy('test');
}, 120_000);

const lambdas = () => deployed.all('lambda/function:Function');
const handlersInFunctions = () => globSync('functions/*/*.ts', { cwd: root }).map((file) => file.slice(10, -3).replaceAll('/', '-'));
const behindUrls = () =>
  handlersInFunctions()
    .filter((name) => name.endsWith('-http') || name === 'releases-webhooks')
    .sort();

describe('functions', () => {
  it('are those of functions/, by the same names', () => {
    expect(
      lambdas()
        .map(({ name }) => ownName(name))
        .sort(),
    ).toEqual(handlersInFunctions().sort());
  });

  it('are each started by a URL, a schedule, a rule, the queue, a service, or by hand', () => {
    const started = [
      ...deployed.named('lambda/functionUrl:FunctionUrl').map(({ inputs }) => inputs.functionName),
      ...deployed.named('scheduler/schedule:Schedule').map(({ inputs }) => inputs.target.arn),
      ...deployed.named('cloudwatch/eventTarget:EventTarget').map(({ inputs }) => inputs.arn),
      ...deployed.named('lambda/eventSourceMapping:EventSourceMapping').map(({ inputs }) => inputs.functionName),
      ...startedByHand,
      ...startedByService,
    ].map(ownName);
    expect([...new Set(started)].sort()).toEqual(
      lambdas()
        .map(({ name }) => ownName(name))
        .sort(),
    );
  });

  it('run on Node 24, on arm64, with memory and time set', () => {
    for (const { runtime, architectures, memorySize, timeout } of lambdas()) {
      expect({ runtime, architectures }).toEqual({ runtime: 'nodejs24.x', architectures: ['arm64'] });
      expect(memorySize).toBeGreaterThanOrEqual(256);
      expect(timeout).toBeGreaterThanOrEqual(30);
    }
  });

  it('are bundled without what is no use there, and with nothing installed beside them', () => {
    const builds = deployed.named('build');
    expect(builds).toHaveLength(lambdas().length);
    for (const { name, inputs } of builds) {
      expect([name, inputs.minify, inputs.architecture]).toEqual([name, true, 'arm64']);
      expect(existsSync(join(root, inputs.handler.replace(/\.handler$/, '.ts')))).toBe(true);
      expect([name, inputs.install]).toEqual([name, undefined]);
    }
  });

  it('know the data by names, and settings and secrets only where they are of use', () => {
    const data = ['App', 'Blobs', 'Bus', 'Table', 'Uploads'].map((name) => `SST_RESOURCE_${name}`);
    const reached = ['ALLOW_PRIVATE_TARGETS', 'EXTERNAL_URL'];
    const app = ['GITHUB_API', 'GITHUB_APP_ID', 'GITHUB_APP_TENANT'];
    const settings: Readonly<Record<string, readonly string[]>> = {
      ...Object.fromEntries(['correlate', 'deliver', 'dispatch', 'evaluate', 'http'].map((name) => [`alerts-${name}`, reached])),
      ...Object.fromEntries(
        ['capture', 'check', 'copy', 'forget', 'http', 'restore', 'snapshot'].map((name) => [`backups-${name}`, ['BACKUP_PASSPHRASE']]),
      ),
      'backups-drill': ['BACKUP_PASSPHRASE', 'EXTERNAL_URL'],
      'releases-advance': [...reached, 'CI_SECRET'],
      'releases-answer': ['ALLOW_PRIVATE_TARGETS', ...app, 'GITHUB_APP_KEY', 'GITLAB_API', 'GITLAB_API_TOKEN'],
      'releases-configure': ['ALLOW_PRIVATE_TARGETS'],
      'releases-http': ['ALLOW_PRIVATE_TARGETS'],
      'releases-webhooks': ['ALLOW_PRIVATE_TARGETS', ...app, 'CI_SECRET', 'GITHUB_SECRET', 'GITLAB_TOKEN'],
    };
    for (const { name, environment } of lambdas()) {
      const { SST_KEY, SST_KEY_FILE, ...variables } = environment.variables;
      const own = Object.keys(variables).filter((variable) => !data.includes(variable));
      expect([ownName(name), own.sort()]).toEqual([
        ownName(name),
        (settings[ownName(name)] ?? []).map((each) => `QUARTERDECK_${each}`).sort(),
      ]);
      expect(Object.keys(variables)).toEqual(expect.arrayContaining(data));
      const { QUARTERDECK_EXTERNAL_URL: url, QUARTERDECK_ALLOW_PRIVATE_TARGETS: allow = 'off' } = variables;
      expect([url ?? 'https://x.on.aws', allow]).toEqual([expect.stringMatching(/^https:.*on\.aws/), 'off']);
    }
  });

  it('keep their logs for a month, each in a group of its own', () => {
    const groups = deployed.all('cloudwatch/logGroup:LogGroup');
    expect(groups.map(({ name }) => name).sort()).toEqual(
      lambdas()
        .map(({ loggingConfig }) => loggingConfig.logGroup)
        .sort(),
    );
    expect(new Set(groups.map(({ retentionInDays }) => retentionInDays))).toEqual(new Set([30]));
  });

  it('that nobody waits for are tried three times, and what fails then is a dead letter', () => {
    const configs = deployed.all('lambda/functionEventInvokeConfig:FunctionEventInvokeConfig');
    const started = [...schedules, ...subscriptions].map((each) => each.function);
    expect(configs.map(({ functionName }) => ownName(functionName)).sort()).toEqual([...new Set([...started, ...startedByService])].sort());
    for (const { maximumRetryAttempts, destinationConfig } of configs) {
      expect({ maximumRetryAttempts, destinationConfig }).toEqual({
        maximumRetryAttempts: 2,
        destinationConfig: { onFailure: { destination: deadLetters } },
      });
    }
  });

  it('raise an alarm by their errors, and behind a URL by being throttled', () => {
    const alarms = deployed.all('cloudwatch/metricAlarm:MetricAlarm');
    const watched = (metric: string) =>
      alarms.filter(({ metricName }) => metricName === metric).map(({ dimensions }) => ownName(dimensions.FunctionName));
    expect(watched('Errors').sort()).toEqual(
      lambdas()
        .map(({ name }) => ownName(name))
        .sort(),
    );
    expect(watched('Throttles').sort()).toEqual(behindUrls());
    for (const { alarmActions } of alarms) expect(alarmActions).toEqual([expect.stringContaining(':sns:')]);
  });

  it('of alerts raise an alarm when rules fail, when notifications are given up, and when no rule is evaluated at all', () => {
    const own = deployed
      .all('cloudwatch/metricAlarm:MetricAlarm')
      .filter(({ name }) => /^Alerts(?!.*(?:Errors|Throttles)$)/.test(ownName(name)))
      .map(({ metricName, dimensions, comparisonOperator, treatMissingData }) => [
        metricName,
        ownName(dimensions.FunctionName),
        comparisonOperator,
        treatMissingData,
      ]);
    expect(own).toEqual([
      ['Invocations', 'alerts-evaluate', 'LessThanThreshold', 'breaching'],
      ['NotificationsGivenUp', 'alerts-deliver', 'GreaterThanThreshold', 'notBreaching'],
      ['RulesFailed', 'alerts-evaluate', 'GreaterThanThreshold', 'notBreaching'],
    ]);
  });

  it('of releases raise an alarm when nothing gets on, and when a provider could not be told', () => {
    const own = deployed
      .all('cloudwatch/metricAlarm:MetricAlarm')
      .filter(({ name }) => /^Releases(?!.*(?:Errors|Throttles)$)/.test(ownName(name)))
      .map(({ metricName, dimensions, treatMissingData, evaluationPeriods, period }) => [
        ...[metricName, ownName(dimensions.FunctionName ?? ''), treatMissingData, evaluationPeriods * period],
      ]);
    expect(own).toEqual([
      ['Invocations', 'releases-advance', 'breaching', 600],
      ['AnswersGivenUp', '', 'notBreaching', 300],
    ]);
  });

  it('of backups raise an alarm when none is taken at all', () => {
    const own = deployed.all('cloudwatch/metricAlarm:MetricAlarm').filter(({ name }) => ownName(name) === 'BackupsSnapshotStopped');
    expect(own).toMatchObject([{ metricName: 'Invocations', treatMissingData: 'breaching', period: 300, evaluationPeriods: 2 }]);
    expect(ownName(own[0].dimensions.FunctionName)).toBe('backups-snapshot');
  });

  it('are called as they have to be: by their names, and as the role that CodeDeploy is given may call them', () => {
    const others = lambdas().filter(({ name }) => !/^quarterdeck-test-/.test(name));
    expect(others.map(({ name }) => name)).toEqual(['CodeDeployHook_quarterdeck-test']);
  });

  it('raise no alarm that docs/monitoring/guide.md does not explain, nor does it explain others', () => {
    const section = readFileSync(join(root, 'docs/monitoring/guide.md'), 'utf8').split('\n## Alarms on AWS\n')[1].split('\n### ')[0];
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const explained = rows.flatMap((row) => [...row.split(' | ')[0].matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const raised = deployed.all('cloudwatch/metricAlarm:MetricAlarm').map(({ name }) => ownName(name));
    expect(explained.sort()).toEqual(raised.sort());
  });
});

describe('function URLs', () => {
  it('are open to everybody, since the API asks for a key, and to no other site of a browser', () => {
    const urls = deployed.all('lambda/functionUrl:FunctionUrl');
    expect(
      urls.map(({ functionName, authorizationType, invokeMode, cors }) => [ownName(functionName), authorizationType, invokeMode, cors]),
    ).toEqual(behindUrls().map((name) => [name, 'NONE', name === 'query-http' ? 'RESPONSE_STREAM' : 'BUFFERED', undefined]));
  });

  it('are the only things that everybody may call', () => {
    const forAll = deployed.named('lambda/permission:Permission').filter(({ inputs }) => inputs.principal === '*');
    for (const { inputs } of forAll) expect(inputs.functionUrlAuthType === 'NONE' || inputs.invokedViaFunctionUrl === true).toBe(true);
    expect(new Set(forAll.map(({ inputs }) => ownName(inputs.function)))).toEqual(new Set(behindUrls()));
  });
});

describe('schedules', () => {
  it('are those of functions/schedules.ts, with retries and the dead-letter queue', () => {
    const made = deployed.all('scheduler/schedule:Schedule');
    expect(made.map(({ scheduleExpression, target }) => [ownName(target.arn), scheduleExpression, target.input]).sort()).toEqual(
      schedules.map((schedule) => [schedule.function, schedule.expression, JSON.stringify(schedule.input ?? {})]).sort(),
    );
    for (const { target, state } of made) {
      expect(state).toBe('ENABLED');
      expect(target.retryPolicy.maximumRetryAttempts).toBeGreaterThan(0);
      expect(target.deadLetterConfig.arn).toEqual(deadLetters);
    }
  });
});

describe('rules', () => {
  const made = () => new Map(deployed.all('cloudwatch/eventRule:EventRule').map((rule) => [ownName(rule.name), rule]));

  it('are those of functions/subscriptions.ts, listening where such events are: AWS\u2019 own on the default bus, of our bucket alone', () => {
    const bucket = deployed.named('s3/bucket:Bucket').find(({ name }) => name.startsWith('Uploads'))?.inputs.bucket;
    expect([...made().keys()].sort()).toEqual(subscriptions.map(({ name }) => name).sort());
    for (const { name, pattern } of subscriptions) {
      const isForeign = pattern.source.includes('aws.s3');
      const rule = made().get(name);
      expect(JSON.parse(rule?.eventPattern)).toEqual(
        isForeign ? { ...pattern, detail: { ...pattern.detail, bucket: { name: [bucket] } } } : pattern,
      );
      expect(rule?.eventBusName).toEqual(isForeign ? 'default' : expect.stringContaining('BusBus'));
    }
  });

  it('start their functions, with retries and the dead-letter queue', () => {
    const targets = deployed.all('cloudwatch/eventTarget:EventTarget');
    const started = targets.map(({ rule, arn }) => [ownName(rule), ownName(arn)]);
    expect(started.sort()).toEqual(subscriptions.map((each) => [each.name, each.function]).sort());
    for (const { rule, eventBusName, deadLetterConfig, retryPolicy } of targets) {
      expect(eventBusName).toBe(made().get(ownName(rule))?.eventBusName);
      expect(deadLetterConfig.arn).toEqual(deadLetters);
      expect(retryPolicy.maximumRetryAttempts).toBeGreaterThan(0);
    }
    const allowed = deployed.all('lambda/permission:Permission').filter(({ principal }) => principal === 'events.amazonaws.com');
    expect(allowed.map((each) => [ownName(each.sourceArn.split('/').at(-1)), ownName(each.function)]).sort()).toEqual(started);
  });
});

describe('dead letters', () => {
  it('wait encrypted for two weeks and are drained, longer hidden than the drain may take', () => {
    const queue = deployed.only('sqs/queue:Queue');
    expect(queue).toMatchObject({ sqsManagedSseEnabled: true, messageRetentionSeconds: 14 * 86_400 });
    const drain = lambdas().find(({ name }) => ownName(name) === 'events-drain');
    expect(queue.visibilityTimeoutSeconds).toBeGreaterThanOrEqual(6 * drain?.timeout);
    expect(deployed.only('lambda/eventSourceMapping:EventSourceMapping')).toMatchObject({ functionName: 'quarterdeck-test-events-drain' });
  });

  it('come from our rules, and nobody else may send them', () => {
    const [{ principals, actions, condition }, ...others] = deployed.statements.filter(({ of }) => of === 'DeadLettersPolicy');
    expect(others).toEqual([]);
    expect({ principals, actions }).toEqual({ principals: ['events.amazonaws.com'], actions: ['sqs:SendMessage'] });
    expect(condition.ArnEquals?.['aws:SourceArn']).toHaveLength(subscriptions.length);
  });

  it('raise an alarm when they arrive, and when they stay', () => {
    const metrics = deployed
      .named('cloudwatch/metricAlarm:MetricAlarm')
      .filter(({ inputs }) => inputs.namespace === 'AWS/SQS')
      .map(({ inputs }) => inputs.metricName);
    expect(metrics.sort()).toEqual(['ApproximateNumberOfMessagesVisible', 'NumberOfMessagesSent']);
  });
});
