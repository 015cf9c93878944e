import { permissionsOn } from './named-arns.ts';

/** What is backed up, and where to, beyond this deployment: what sst.config.ts says of it. Everything may be left out. */
export interface BackupSettings {
  /** Where people reach this installation: the base of links in the alerts of drills. Default: the address of the API of backups. */
  readonly externalUrl?: string | undefined;
  /** The bucket of backups is made with Object Lock, which can only be said when it is made: `lock` in backups.yaml then holds. Default: no. */
  readonly objectLock?: boolean | undefined;
  /** ARNs of DynamoDB tables that snapshots are taken of. */
  readonly tableArns?: readonly string[] | undefined;
  /** ARNs of buckets that snapshots are taken of: `arn:aws:s3:::NAME`. */
  readonly bucketArns?: readonly string[] | undefined;
  /** ARNs of further buckets that hold repositories: those that snapshots are copied to. */
  readonly repositoryArns?: readonly string[] | undefined;
  /** ARNs of the keys of KMS that unlock those. */
  readonly keyArns?: readonly string[] | undefined;
  /** ARNs of tables that restores may make and fill. */
  readonly restoreTableArns?: readonly string[] | undefined;
  /** ARNs of buckets that restores may write into. */
  readonly restoreBucketArns?: readonly string[] | undefined;
}

/** A permission on resources that are known when it is written. */
export interface NamedPermission {
  readonly effect?: 'deny' | undefined;
  actions: string[];
  resources: string[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

const MAKE_TABLE = ['CreateTable', 'UpdateTable', 'UpdateTimeToLive', 'TagResource', 'UntagResource'];
const DESCRIBE_TABLE = ['DescribeTable', 'DescribeTimeToLive', 'ListTagsOfResource'];
const READ_ITEMS = ['Scan'];
const WRITE_ITEMS = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
const on = (service: string, names: readonly string[]) => names.map((name) => `${service}:${name}`);

/** To read sources. */
export function sourcePermissions({ tableArns, bucketArns }: Pick<BackupSettings, 'tableArns' | 'bucketArns'>): NamedPermission[] {
  return [
    ...permissionsOn([{ actions: on('dynamodb', [...DESCRIBE_TABLE, ...READ_ITEMS]), service: 'dynamodb', arns: tableArns }]),
    ...below(
      'stream',
      permissionsOn([
        { actions: on('dynamodb', ['DescribeStream', 'GetShardIterator', 'GetRecords']), service: 'dynamodb', arns: tableArns },
      ]),
    ),
    ...onBuckets(
      bucketArns,
      ['ListBucket', 'ListBucketVersions', 'GetBucketVersioning'],
      [...['GetObject', 'GetObjectTagging', 'GetObjectVersion', 'GetObjectVersionTagging']],
    ),
  ];
}

/** Denies to change what is read, and to delete anything that a backup is made of, whatever else may be allowed. */
export function keepPermissions({ tableArns = [], bucketArns = [] }: BackupSettings): NamedPermission[] {
  const nothing: NamedPermission = {
    effect: 'deny',
    actions: [
      ...on('s3', ['DeleteObject', 'DeleteObjectVersion', 'DeleteBucket', 'BypassGovernanceRetention', 'PutObjectRetention']),
      ...on('s3', ['PutBucketVersioning', 'PutLifecycleConfiguration', 'PutBucketObjectLockConfiguration']),
      ...on('kms', ['ScheduleKeyDeletion', 'DisableKey']),
      'dynamodb:DeleteTable',
    ],
    resources: ['*'],
  };
  const sources: NamedPermission[] = [
    { effect: 'deny', actions: on('dynamodb', WRITE_ITEMS), resources: [...tableArns] },
    { effect: 'deny', actions: ['s3:PutObject'], resources: bucketArns.map((arn) => `${arn}/*`) },
  ];
  return [nothing, ...sources.filter(({ resources }) => resources.length > 0)];
}

/** To use further repositories: to read them, to add to them, or to prune them, which alone deletes. */
export function repositoryPermissions({ repositoryArns, keyArns }: BackupSettings, use: RepositoryUse): NamedPermission[] {
  const actions = use === 'add' ? ['kms:Encrypt', 'kms:Decrypt'] : ['kms:Decrypt'];
  return [
    ...onBuckets(repositoryArns, ['ListBucket'], REPOSITORY_ACTIONS[use]),
    ...permissionsOn([{ actions, service: 'kms', arns: keyArns }]),
  ];
}

export type RepositoryUse = keyof typeof REPOSITORY_ACTIONS;

/** What is done with the objects of a repository. */
export const REPOSITORY_ACTIONS = {
  read: ['GetObject'],
  add: ['GetObject', 'PutObject'],
  prune: ['GetObject', 'PutObject', 'DeleteObject', 'GetObjectRetention', 'PutObjectRetention'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** To restore into tables and buckets that are named, of which a snapshot is taken first where they are not empty. */
export function restorePermissions({ restoreTableArns, restoreBucketArns }: BackupSettings): NamedPermission[] {
  return [
    ...sourcePermissions({ tableArns: restoreTableArns, bucketArns: restoreBucketArns }),
    ...permissionsOn([{ actions: on('dynamodb', [...MAKE_TABLE, 'BatchWriteItem']), service: 'dynamodb', arns: restoreTableArns }]),
    ...onBuckets(restoreBucketArns, [], ['PutObject', 'PutObjectTagging', 'AbortMultipartUpload']),
  ];
}

/** Below it in a source's bucket, and in tables with this beginning, drills restore. */
const DRILL = { folder: 'quarterdeck-drills', table: 'quarterdeck-drill-*' };

const DRILL_OBJECT_ACTIONS = on('s3', [
  ...['GetObject', 'GetObjectTagging', 'PutObject', 'PutObjectTagging', 'AbortMultipartUpload', 'DeleteObject'],
]);

/** To restore beside what is drilled, and to remove that: objects of one folder of the sources' buckets. */
export function drillPermissions({ bucketArns }: BackupSettings): NamedPermission[] {
  const conditions = [{ test: 'StringLike', variable: 's3:prefix', values: [`${DRILL.folder}/*`] }];
  return [
    ...onBuckets(bucketArns, ['ListBucket'], []).map((permission) => ({ ...permission, conditions })),
    ...below(DRILL.folder, permissionsOn([{ actions: DRILL_OBJECT_ACTIONS, service: 's3', arns: bucketArns }])),
  ];
}

/** Everything that drills do with tables of their own. */
export const DRILL_TABLE_ACTIONS: readonly string[] = on('dynamodb', [
  ...[...MAKE_TABLE, ...DESCRIBE_TABLE, ...READ_ITEMS, ...WRITE_ITEMS],
  ...['GetItem', 'Query', 'ConditionCheckItem', 'DeleteTable'],
]);

/** The tables that drills make in the account and region of a table. */
export function drillTablesArn(tableArn: string): string {
  return tableArn.replace(/:table\/.*$/, `:table/${DRILL.table}`);
}

function onBuckets(
  arns: readonly string[] | undefined,
  ofBucket: readonly string[],
  ofObjects: readonly string[],
): { actions: string[]; resources: string[] }[] {
  const named = (actions: readonly string[]) => permissionsOn([{ actions: on('s3', actions), service: 's3', arns }]);
  return [...(ofBucket.length > 0 ? named(ofBucket) : []), ...(ofObjects.length > 0 ? below('', named(ofObjects)) : [])];
}

/** The same on what lies below, in a folder or in all. */
function below(folder: string, permissions: readonly { actions: string[]; resources: string[] }[]) {
  const end = folder === '' ? '/*' : `/${folder}/*`;
  return permissions.map(({ actions, resources }) => ({ actions, resources: resources.map((arn) => `${arn}${end}`) }));
}
