import { alarmOnSilence } from './alarm.ts';
import {
  type BackupSettings,
  DRILL_TABLE_ACTIONS,
  drillPermissions,
  drillTablesArn,
  keepPermissions,
  REPOSITORY_ACTIONS,
  type RepositoryUse,
  repositoryPermissions,
  restorePermissions,
  sourcePermissions,
} from './backup-targets.ts';
import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { onPartitions, within } from './permissions.ts';

/** The functions of backups, where their API is, and where they keep what they take. */
export interface Backups {
  readonly url: $util.Output<string>;
  readonly bucket: sst.aws.Bucket;
  /** Names the key in `kms` of a repository. */
  readonly keyAlias: string;
  readonly functions: Functions;
}

/** How long what was pruned, or replaced by somebody, can still be brought back. */
const KEPT_VERSIONS_DAYS = 30;

/** Stands for the data bucket until its ARN is known. */
const OWN_BUCKET = 'arn:aws:s3:::own';

type Permission = sst.aws.FunctionPermissionArgs;

/** A bucket and a key apart from all else, and the functions of functions/backups/, of which one alone deletes. */
export function createBackups(events: Events, data: Data, settings: BackupSettings): Backups {
  const { blobs, table } = data;
  const bucket = createBucket(settings.objectLock ?? false);
  const key = createKey();
  const passphrase = new sst.Secret('BackupPassphrase', '').value;
  const repositories = (use: RepositoryUse): Permission[] => [
    { actions: ['s3:ListBucket'], resources: [bucket.arn] },
    { actions: REPOSITORY_ACTIONS[use].map((name) => `s3:${name}`), resources: [$interpolate`${bucket.arn}/*`] },
    { actions: use === 'add' ? ['kms:Encrypt', 'kms:Decrypt'] : ['kms:Decrypt'], resources: [key.arn] },
    ...repositoryPermissions(settings, use),
  ];
  const jobs: Permission[] = [
    onPartitions(table, ['backups/*', 'lease'], 'Query', 'PutItem', 'DeleteItem'),
    onPartitions(table, ['outbox'], 'Query', 'PutItem', 'BatchWriteItem'),
    { actions: ['events:PutEvents'], resources: [events.bus.arn] },
  ];
  // This installation, which is a source like any other.
  const self: Permission[] = [
    { actions: ['dynamodb:Scan'], resources: [table.arn] },
    within(blobs, ['s3:GetObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold', 'alerts'),
  ];
  const define = (name: string, permissions: readonly Permission[], more: Readonly<Record<string, $util.Input<string>>> = {}) =>
    defineFunction(events, data, name, {
      ...{ memory: '1769 MB', timeout: '15 minutes', startedBy: 'events' },
      environment: { QUARTERDECK_BACKUP_PASSPHRASE: passphrase, ...more },
      permissions: [...jobs, ...permissions],
    });
  // Looks into repositories, and asks for what the others do.
  const http = defineFunction(events, data, 'backups-http', {
    ...{ memory: '1769 MB', timeout: '1 minute', startedBy: 'url' },
    environment: { QUARTERDECK_BACKUP_PASSPHRASE: passphrase },
    permissions: [...jobs, ...repositories('read')],
  });
  const functions = {
    'backups-snapshot': define('backups-snapshot', [
      ...[...repositories('add'), ...self],
      ...[...sourcePermissions(settings), ...keepPermissions(settings)],
    ]),
    'backups-capture': define('backups-capture', [
      ...repositories('add'),
      ...[...sourcePermissions({ tableArns: settings.tableArns }), ...keepPermissions(settings)],
    ]),
    'backups-copy': define('backups-copy', [...repositories('add'), ...keepPermissions(settings)]),
    'backups-forget': define('backups-forget', repositories('prune')),
    'backups-check': define('backups-check', repositories('read')),
    'backups-restore': define('backups-restore', [...repositories('add'), ...restorePermissions(settings)]),
    // Tells the first tenant's alerts what came of it.
    'backups-drill': define(
      'backups-drill',
      [
        ...repositories('read'),
        onPartitions(table, ['alerts/*'], 'Query', 'PutItem', 'ConditionCheckItem'),
        within(blobs, ['s3:GetObject', 's3:PutObject'], 'alerts'),
        ...drillPermissions(settings),
        ...drillOfSelf(data),
      ],
      { QUARTERDECK_EXTERNAL_URL: settings.externalUrl ?? http.url },
    ),
    'backups-http': http,
  };
  alarmOnSilence(events.alarms, 'BackupsSnapshotStopped', {
    description: 'backups-snapshot has not been started for ten minutes: no backup is taken.',
    namespace: 'AWS/Lambda',
    metric: 'Invocations',
    dimensions: { FunctionName: functions['backups-snapshot'].name },
    periods: 2,
  });
  return { url: http.url, bucket, keyAlias: keyAlias(), functions };
}

/** Tables of drills, and their folder of the data bucket. */
function drillOfSelf({ blobs, table }: Data): Permission[] {
  return [
    { actions: [...DRILL_TABLE_ACTIONS], resources: [table.arn.apply(drillTablesArn)] },
    ...drillPermissions({ bucketArns: [OWN_BUCKET] }).map(({ resources, ...permission }) => ({
      ...permission,
      resources: resources.map((arn) => blobs.arn.apply((own) => arn.replace(OWN_BUCKET, own))),
    })),
  ];
}

/** Every version stays for a month after it was replaced or deleted, and nobody here may delete versions. */
function createBucket(objectLockEnabled: boolean): sst.aws.Bucket {
  const isDisposable = $app.stage !== 'production' && !objectLockEnabled;
  const bucket = new sst.aws.Bucket('Backups', {
    ...{ cors: false, versioning: true },
    transform: { bucket: { forceDestroy: isDisposable, objectLockEnabled } },
  });
  new aws.s3.BucketLifecycleConfiguration('BackupsLifecycle', {
    bucket: bucket.name,
    rules: [
      { id: 'abort-multipart', status: 'Enabled', filter: { prefix: '' }, abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } },
      {
        ...{ id: 'expire-versions', status: 'Enabled', filter: { prefix: '' } },
        noncurrentVersionExpiration: { noncurrentDays: KEPT_VERSIONS_DAYS },
        expiration: { expiredObjectDeleteMarker: true },
      },
    ],
  });
  return bucket;
}

function keyAlias(): string {
  return `alias/${$app.name}-${$app.stage}-backups`;
}

/** Without it nothing in a repository that it unlocks can be read again: it outlives a production that is removed. */
function createKey(): aws.kms.Key {
  const options = { retainOnDelete: $app.stage === 'production' };
  const description = `Unlocks the backups of ${$app.name} ${$app.stage}`;
  const key = new aws.kms.Key('BackupsKey', { description, enableKeyRotation: true, deletionWindowInDays: 30 }, options);
  new aws.kms.Alias('BackupsKeyAlias', { name: keyAlias(), targetKeyId: key.keyId }, options);
  return key;
}
