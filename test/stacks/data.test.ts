import { beforeAll, describe, expect, it } from 'vitest';
import { targetPermissions } from '#stacks/alert-targets.ts';
import { schemas } from '#storage/parquet/schema.ts';
import { allows } from './allows.ts';
import type { Resource } from './aws-mocks.ts';
import { type Deployed, deploy } from './deployed.ts';

let deployed: Deployed;
let production: Deployed;

beforeAll(async () => {
  [deployed, production] = await Promise.all([deploy('test'), deploy('production')]);
}, 120_000);

describe('permissions', () => {
  const allowed = () => deployed.statements.filter(({ effect }) => effect === 'Allow');

  it('name their actions, and wildcards stand only below a named resource', () => {
    for (const { of, actions, resources: named } of allowed()) {
      for (const action of actions) expect([of, action]).toEqual([of, expect.not.stringContaining('*')]);
      for (const resource of named)
        expect([of, resource]).toEqual([
          ...[of, expect.stringMatching(/^arn:aws:[a-z0-9]+:[^*]*[/:](?:[^*:/]+([/:]\*)?|quarterdeck-drill-\*)$/)],
        ]);
    }
  });

  it('are given to services of AWS alone, not to the account, by managed policy or to everybody', () => {
    const roles = deployed.named('iam/role:Role');
    for (const { inputs } of roles) expect(inputs.managedPolicyArns ?? []).toEqual([]);
    for (const { of, principals } of allowed()) {
      for (const principal of principals)
        expect([of, principal]).toEqual([of, expect.stringMatching(/^(lambda|scheduler|events)\.amazonaws\.com$/)]);
    }
    const trusting = deployed.statements.filter(({ actions }) => actions.includes('sts:AssumeRole')).map(({ of }) => of);
    expect(new Set(trusting)).toEqual(new Set(roles.map(({ name }) => name)));
  });

  it('let every function write its own log and read the configuration, and no other reach keys and configuration', () => {
    for (const { name } of deployed.named('lambda/function:Function')) {
      const role = name.replace(/Function$/, 'Role');
      const mine = deployed.statements.filter(({ of }) => of === role);
      expect(mine.flatMap(({ actions }) => actions)).toEqual(expect.arrayContaining(['logs:PutLogEvents', 'sts:AssumeRole']));
      const guarded = mine.some(({ effect, condition }) => effect === 'Deny' && condition['ForAnyValue:StringEquals'] !== undefined);
      expect([role, guarded]).toEqual([role, !/^Api(Create|Delete)Key/.test(role)]);
    }
  });

  it.each([
    ['QueryHttp', ['dynamodb:GetItem', 'dynamodb:Query', 's3:GetObject']],
    [
      'IngestHttp',
      [
        'dynamodb:BatchWriteItem',
        'dynamodb:ConditionCheckItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        's3:GetObject',
        's3:PutObject',
      ],
    ],
    ['EventsPublish', ['dynamodb:BatchWriteItem', 'dynamodb:GetItem', 'dynamodb:Query', 'events:PutEvents', 's3:GetObject']],
    [
      'AlertsDispatch',
      [
        'dynamodb:BatchWriteItem',
        'dynamodb:ConditionCheckItem',
        'dynamodb:DeleteItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        'events:PutEvents',
        's3:DeleteObject',
        's3:GetObject',
        's3:PutObject',
      ],
    ],
    [
      'AlertsDeliver',
      [
        'dynamodb:BatchWriteItem',
        'dynamodb:ConditionCheckItem',
        'dynamodb:DeleteItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
        's3:DeleteObject',
        's3:GetObject',
        's3:PutObject',
      ],
    ],
    ['FlagsHttp', ['BatchWriteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`).concat('s3:GetObject')],
    [
      'ReleasesWebhooks',
      ['dynamodb:BatchWriteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'events:PutEvents', 's3:GetObject'],
    ],
    [
      'ReleasesAnswer',
      ['dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 's3:GetObject'],
    ],
    [
      'ReleasesCodedeployHook',
      ['dynamodb:BatchWriteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'events:PutEvents', 's3:GetObject'],
    ],
    [
      'EventsDrain',
      ['dynamodb:BatchWriteItem', 'dynamodb:GetItem', 's3:GetObject', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    ],
  ])('of %s are what it does', (component, expected) => {
    const mine = allowed().filter(({ of }) => of === `${component}Role`);
    const actions = mine.flatMap((statement) => statement.actions).filter((action) => !/^(logs|sts|sqs:Send)/.test(action));
    expect([...new Set(actions)].sort()).toEqual(expected);
  });

  /** Whether a function may do that to objects of the bucket or items of the table. */
  const roleOf = (component: string) => {
    const mine = allowed().filter(({ of }) => of === `${component}Role`);
    const table = mine.flatMap(({ resources }) => resources).find((arn) => arn.includes(':table/')) as string;
    const bucket = mine.flatMap(({ resources }) => resources).find((arn) => arn.startsWith('arn:aws:s3:::')) as string;
    return (action: string, target: string) =>
      action.startsWith('s3:')
        ? allows(mine, { action, resource: `${bucket.split('/')[0]}/${target}`, context: {} })
        : allows(mine, { action, resource: table, context: { 'dynamodb:LeadingKeys': [target] } });
  };

  it.each(['AlertsDispatch', 'AlertsDeliver'])('of %s reach alerts, and none of the data or of the catalog', (component) => {
    const may = roleOf(component);
    expect(may('dynamodb:PutItem', 'alerts/books')).toBe(true);
    expect(may('s3:DeleteObject', 'alerts/team-a/book/1')).toBe(true);
    for (const action of ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem', 'dynamodb:DeleteItem']) {
      for (const partition of ['segments/team-a', 'api-keys', 'alertsx'])
        expect([action, partition, may(action, partition)]).toEqual([action, partition, false]);
    }
    for (const folder of ['segments', 'tier=hot']) expect(may('s3:GetObject', `${folder}/x`)).toBe(false);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['ReleasesWebhooks', ['releases/deliveries/a', 'outbox'], ['releases/a', 'releases/checks/a/shop', 'lease', 'flags/a', 'dead-letters']],
    [
      'ReleasesAnswer',
      ['releases/answers/a', 'releases/answers/_due'],
      ['releases/a', 'releases/slots/a', 'outbox', 'dead-letters', 'flags/a'],
    ],
    ['ReleasesConfigure', ['releases/configuration/a/shop', 'outbox'], ['releases/a', 'releases/slots/a', 'lease', 'flags/a']],
    ['ReleasesCodedeployHook', ['releases/_codedeploy', 'releases/deliveries/a', 'outbox'], ['releases/a', 'releases/slots/a', 'lease']],
    ['ReleasesHttp', ['releases/a', 'releases/kubernetes/a', 'outbox'], ['flags/a', 'alerts/books', 'lease', 'segments/a']],
    ['ReleasesAdvance', ['releases/a', 'flags/a', 'lease', 'outbox'], ['alerts/books', 'segments/a', 'dead-letters']],
    ['FlagsHttp', ['flags/a', 'flags/audit/a', 'outbox'], ['releases/a', 'alerts/books', 'lease', 'flagsx']],
  ])('of %s put into their own partitions, and change no object', (component, own, others) => {
    const may = roleOf(component);
    for (const partition of own) expect([partition, may('dynamodb:PutItem', partition)]).toEqual([partition, true]);
    for (const partition of [...others, 'api-keys', 'config'])
      expect([partition, may('dynamodb:PutItem', partition)]).toEqual([partition, false]);
    for (const action of ['s3:PutObject', 's3:DeleteObject']) expect(may(action, 'segments/x')).toBe(false);
  });

  it('read samples and alerts in those functions of releases alone that judge by them', () => {
    const reading = ['Advance', 'Answer', 'CodedeployHook', 'Configure', 'Http', 'Webhooks'].filter((name) =>
      ['segments/x', 'tier=cold/x', 'alerts/x'].some((key) => roleOf(`Releases${name}`)('s3:GetObject', key)),
    );
    expect(reading).toEqual(['Advance', 'Http']);
  });
});

describe('what notifications reach in other services', () => {
  it('is nothing unless it is named', () => {
    expect(targetPermissions({})).toEqual([]);
    expect(targetPermissions({ mailArns: [], topicArns: [], eventBusArns: [] })).toEqual([]);
  });

  it('is what is named, and nothing else', () => {
    const mailArns = ['arn:aws:ses:eu-west-1:123456789012:identity/example.org'];
    const topicArns = ['arn:aws:sns:eu-west-1:123456789012:on-call', 'arn:aws-cn:sns:cn-north-1:123456789012:on-call'];
    const eventBusArns = ['arn:aws:events:eu-west-1:123456789012:event-bus/operations'];
    expect(targetPermissions({ mailArns, topicArns, eventBusArns })).toEqual([
      { actions: ['ses:SendEmail'], resources: mailArns },
      { actions: ['sns:Publish'], resources: topicArns },
      { actions: ['events:PutEvents'], resources: eventBusArns },
    ]);
  });

  it.each([
    ['everything', { topicArns: ['*'] }],
    ['all topics', { topicArns: ['arn:aws:sns:eu-west-1:123456789012:*'] }],
    ['a name', { mailArns: ['example.org'] }],
    ['something of another service', { eventBusArns: ['arn:aws:sns:eu-west-1:123456789012:on-call'] }],
  ])('is never %s', (_, settings) => {
    expect(() => targetPermissions(settings)).toThrow('is no ARN of');
  });
});

describe('the data', () => {
  it('is in buckets that nobody reaches from outside or without TLS', () => {
    const buckets = deployed.named('s3/bucket:Bucket').map(({ inputs }) => inputs.bucket);
    expect(buckets).toHaveLength(3);
    const blocks = deployed.all('s3/bucketPublicAccessBlock:BucketPublicAccessBlock');
    expect(blocks.map(({ bucket }) => bucket)).toEqual(buckets);
    for (const { bucket, ...block } of blocks) {
      expect(block).toEqual({ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true });
    }
    const plain = deployed.statements.filter(({ effect, condition }) => effect === 'Deny' && condition.Bool !== undefined);
    expect(plain).toHaveLength(3);
    expect(deployed.named('s3/bucketCorsConfiguration:BucketCorsConfiguration')).toEqual([]);
  });

  it('is deleted by S3 only where it was left behind: parts of uploads, files imported a week ago, and versions of backups after a month', () => {
    const rules = deployed
      .named('s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration')
      .flatMap(({ name, inputs }) =>
        inputs.rules.map(
          ({ filter, expiration, abortIncompleteMultipartUpload: abort, noncurrentVersionExpiration: old }: Resource['inputs']) => [
            name,
            filter.prefix,
            expiration?.days ?? old?.noncurrentDays ?? null,
            abort?.daysAfterInitiation ?? null,
          ],
        ),
      );
    expect(rules).toEqual([
      ['BackupsLifecycle', '', null, 1],
      ['BackupsLifecycle', '', 30, null],
      ['BlobsLifecycle', '', null, 1],
      ['UploadsLifecycle', '', null, 1],
      ['UploadsLifecycle', 'imports/', 7, null],
    ]);
  });

  it('tells of uploads alone', () => {
    expect(deployed.only('s3/bucketNotification:BucketNotification')).toMatchObject({
      bucket: expect.stringContaining('uploads'),
      eventbridge: true,
    });
  });

  it('has a table that costs by use, can be brought back to any second, and forgets what has expired', () => {
    expect(deployed.only('dynamodb/table:Table')).toMatchObject({
      hashKey: 'pk',
      rangeKey: 'sk',
      billingMode: 'PAY_PER_REQUEST',
      pointInTimeRecovery: { enabled: true },
      ttl: { attributeName: 'expiresAtS', enabled: true },
    });
  });

  it('of production cannot be deleted with the deployment, that of other stages goes with it', () => {
    const guards = (of: Deployed) => [
      of.only('dynamodb/table:Table').deletionProtectionEnabled,
      of.named('s3/bucket:Bucket').find(({ name }) => name.startsWith('Blobs'))?.inputs.forceDestroy,
    ];
    expect(guards(production)).toEqual([true, false]);
    expect(guards(deployed)).toEqual([false, true]);
  });
});

describe('the Glue catalog', () => {
  const tables = () => deployed.all('glue/catalogTable:CatalogTable');
  const glueTypes = { string: 'string', timestamp: 'timestamp', int64: 'bigint', int32: 'int', double: 'double', boolean: 'boolean' };

  it.each(['samples', 'aggregates'] as const)('has the columns of %s in their order', (kind) => {
    const table = tables().find(({ name }) => name === kind);
    expect(table?.storageDescriptor.columns).toEqual(schemas[kind].map(({ name, type }) => ({ name, type: glueTypes[type] })));
  });

  it('computes the partitions of the layout that blocks are written in', () => {
    for (const { partitionKeys, parameters } of tables()) {
      expect(partitionKeys.map(({ name }: { name: string }) => name)).toEqual(['tier', 'signal', 'tenant', 'date']);
      expect(parameters['storage.location.template']).toMatch(
        /^s3:\/\/[^/]+\/tier=\$\{tier}\/signal=\$\{signal}\/tenant=\$\{tenant}\/date=\$\{date}\/$/,
      );
      expect(parameters).toMatchObject({
        'projection.enabled': 'true',
        'projection.tenant.type': 'injected',
        'projection.date.format': 'yyyy-MM-dd',
      });
    }
  });
});
