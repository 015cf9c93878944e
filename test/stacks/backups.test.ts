import { beforeAll, describe, expect, it } from 'vitest';
import {
  type BackupSettings,
  drillPermissions,
  drillTablesArn,
  keepPermissions,
  repositoryPermissions,
  restorePermissions,
  sourcePermissions,
} from '#stacks/backup-targets.ts';
import { allows } from './allows.ts';
import { type Deployed, deploy } from './deployed.ts';

let deployed: Deployed;

beforeAll(async () => {
  deployed = await deploy('test');
}, 120_000);

const NAMES = ['Capture', 'Check', 'Copy', 'Drill', 'Forget', 'Http', 'Restore', 'Snapshot'] as const;
const bucketOf = (name: string) => deployed.named('s3/bucket:Bucket').find((each) => each.name.startsWith(name))?.inputs.bucket as string;

/** Which functions of backups may do that. */
function whoMay(action: string, resource: string, context: Readonly<Record<string, readonly string[]>> = {}): string[] {
  return NAMES.filter((name) => {
    const role = deployed.statements.filter(({ of }) => of === `Backups${name}Role`);
    return allows(role, { action, resource, context });
  });
}

describe('the bucket of backups', () => {
  const objects = () => `arn:aws:s3:::${bucketOf('Backups')}/main/packs/ab/abcd`;

  it('is read by all functions of backups, added to by four, and deleted from by one', () => {
    expect(whoMay('s3:GetObject', objects())).toEqual([...NAMES]);
    expect(whoMay('s3:PutObject', objects())).toEqual(['Capture', 'Copy', 'Forget', 'Restore', 'Snapshot']);
    expect(whoMay('s3:DeleteObject', objects())).toEqual(['Forget']);
    expect(whoMay('s3:PutObjectRetention', objects())).toEqual(['Forget']);
  });

  it('is deleted from by no other function at all, and nobody deletes versions or goes around Object Lock', () => {
    const roles = [...new Set(deployed.statements.filter(({ of }) => of.endsWith('Role')).map(({ of }) => of))];
    const may = (action: string) =>
      roles.filter((role) =>
        allows(
          deployed.statements.filter(({ of }) => of === role),
          { action, resource: objects(), context: {} },
        ),
      );
    expect(may('s3:DeleteObject')).toEqual(['BackupsForgetRole']);
    for (const action of ['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutBucketVersioning'])
      expect(may(action)).toEqual([]);
    expect(may('s3:GetObject').sort()).toEqual(NAMES.map((name) => `Backups${name}Role`));
  });

  it('keeps versions, and is not the one that the data lies in', () => {
    expect(deployed.all('s3/bucketVersioning:BucketVersioning')).toMatchObject([
      { bucket: bucketOf('Backups'), versioningConfiguration: { status: 'Enabled' } },
    ]);
    expect(new Set(['Backups', 'Blobs', 'Uploads'].map(bucketOf)).size).toBe(3);
  });

  it('has a key of its own, which turns, and which who opens a repository may use, to wrap only who makes one', () => {
    const key = deployed.only('kms/key:Key');
    expect(key).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
    expect(deployed.only('kms/alias:Alias').name).toBe('alias/quarterdeck-test-backups');
    const arn = 'arn:aws:kms:eu-west-1:123456789012:key/BackupsKey';
    expect(whoMay('kms:Decrypt', arn)).toEqual([...NAMES]);
    expect(whoMay('kms:Encrypt', arn)).toEqual(['Capture', 'Copy', 'Restore', 'Snapshot']);
    expect(whoMay('kms:ScheduleKeyDeletion', arn)).toEqual([]);
  });
});

describe('the role that takes snapshots', () => {
  const snapshot = () => deployed.statements.filter(({ of }) => of === 'BackupsSnapshotRole');

  it.each(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 'dynamodb:DeleteTable', 'kms:ScheduleKeyDeletion'])(
    'is denied %s whatever else it is given',
    (action) => {
      const everything = { of: 'BackupsSnapshotRole', effect: 'Allow', actions: [action], resources: ['*'], principals: [], condition: {} };
      expect(allows([...snapshot(), everything], { action, resource: 'arn:aws:s3:::any/thing', context: {} })).toBe(false);
    },
  );

  it('reads the installation that it is part of, and writes of its table only what jobs are', () => {
    const table = `arn:aws:dynamodb:eu-west-1:123456789012:table/${deployed.only('dynamodb/table:Table').name}`;
    expect(whoMay('dynamodb:Scan', table)).toEqual(['Snapshot']);
    const may = (partition: string) => whoMay('dynamodb:PutItem', table, { 'dynamodb:LeadingKeys': [partition] });
    for (const partition of ['backups/jobs', 'lease', 'outbox']) expect([partition, may(partition)]).toEqual([partition, [...NAMES]]);
    for (const partition of ['segments/a', 'releases/a', 'api-keys', 'config'])
      expect([partition, may(partition)]).toEqual([partition, []]);
    expect(may('alerts/books')).toEqual(['Drill']);
    expect(whoMay('s3:GetObject', `arn:aws:s3:::${bucketOf('Blobs')}/segments/x`)).toEqual(['Snapshot']);
    expect(whoMay('s3:PutObject', `arn:aws:s3:::${bucketOf('Blobs')}/segments/x`)).toEqual([]);
  });
});

describe('drills', () => {
  it('make and delete tables of their own names alone, and objects of their own folder', () => {
    const table = (name: string) => `arn:aws:dynamodb:eu-west-1:123456789012:table/${name}`;
    for (const action of ['dynamodb:CreateTable', 'dynamodb:DeleteTable', 'dynamodb:Scan']) {
      expect(whoMay(action, table('quarterdeck-drill-id1'))).toEqual(['Drill']);
      expect(whoMay(action, table('orders')).concat(whoMay(action, table('quarterdeck-drillsnot')))).toEqual([]);
    }
    const object = (key: string) => `arn:aws:s3:::${bucketOf('Blobs')}/${key}`;
    for (const action of ['s3:PutObject', 's3:DeleteObject']) {
      expect(whoMay(action, object('quarterdeck-drills/id1/objects/a'))).toEqual(['Drill']);
      expect(whoMay(action, object('tier=hot/a'))).toEqual([]);
    }
  });
});

describe('what backups reach beyond the installation', () => {
  const tableArns = ['arn:aws:dynamodb:eu-west-1:123456789012:table/orders'];
  const bucketArns = ['arn:aws:s3:::photos'];
  const all = (settings: BackupSettings) => [
    ...[...sourcePermissions(settings), ...drillPermissions(settings), ...restorePermissions(settings)],
    ...repositoryPermissions(settings, 'prune'),
  ];

  it('is nothing unless it is named', () => {
    expect(all({})).toEqual([]);
    expect(keepPermissions({}).map(({ effect }) => effect)).toEqual(['deny']);
  });

  it('is to read sources, never to change them', () => {
    const changing = /:(?:Put|Delete|Update|Create|BatchWrite|Abort|Tag)/;
    const permissions = sourcePermissions({ tableArns, bucketArns });
    expect(permissions.flatMap(({ actions }) => actions).filter((action) => changing.test(action))).toEqual([]);
    expect(permissions.flatMap(({ resources }) => resources)).toEqual([
      ...[tableArns[0], `${tableArns[0]}/stream/*`, 'arn:aws:s3:::photos', 'arn:aws:s3:::photos/*'],
    ]);
    const denied = keepPermissions({ tableArns, bucketArns }).slice(1);
    expect(denied.map(({ effect, resources }) => [effect, resources])).toEqual([
      ['deny', tableArns],
      ['deny', ['arn:aws:s3:::photos/*']],
    ]);
  });

  it('is to restore where that is named, and to prune what is named as a repository', () => {
    const restoring = restorePermissions({ restoreTableArns: tableArns, restoreBucketArns: bucketArns });
    expect(restoring.flatMap(({ actions }) => actions)).toEqual(expect.arrayContaining(['dynamodb:CreateTable', 's3:PutObject']));
    expect(restoring.flatMap(({ actions }) => actions)).not.toContain('s3:DeleteObject');
    const keyArns = ['arn:aws:kms:eu-central-1:123456789012:key/1'];
    const repositoryArns = ['arn:aws:s3:::copies'];
    expect(repositoryPermissions({ repositoryArns, keyArns }, 'read')).toEqual([
      { actions: ['s3:ListBucket'], resources: repositoryArns },
      { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::copies/*'] },
      { actions: ['kms:Decrypt'], resources: keyArns },
    ]);
    expect(repositoryPermissions({ repositoryArns }, 'add').flatMap(({ actions }) => actions)).not.toContain('s3:DeleteObject');
  });

  it('is for drills beside the source', () => {
    expect(drillTablesArn(tableArns[0] as string)).toBe('arn:aws:dynamodb:eu-west-1:123456789012:table/quarterdeck-drill-*');
    expect(drillPermissions({ bucketArns }).flatMap(({ resources }) => resources)).toEqual([
      ...['arn:aws:s3:::photos', 'arn:aws:s3:::photos/quarterdeck-drills/*'],
    ]);
  });

  it.each<[string, BackupSettings]>([
    ['everything', { tableArns: ['*'] }],
    ['all tables', { tableArns: ['arn:aws:dynamodb:eu-west-1:123456789012:table/*'] }],
    ['a name', { bucketArns: ['photos'] }],
    ['something of another service', { restoreTableArns: ['arn:aws:s3:::photos'] }],
  ])('is never %s', (_, settings) => {
    expect(() => all(settings)).toThrow('is no ARN of');
  });
});
