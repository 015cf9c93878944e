import type { Data } from './data.ts';
import type { Events } from './events.ts';
import { defineFunction, type Functions } from './function.ts';
import { createCatalog } from './glue.ts';
import { onTable, within } from './permissions.ts';

/** The data and the functions that keep it. */
export interface Storage extends Data {
  readonly functions: Functions;
}

/** Buckets, table, Glue's view of the blocks, and the functions of functions/storage/ and the outbox. */
export function createStorage(events: Events): Storage {
  const isProduction = $app.stage === 'production';
  const blobs = new sst.aws.Bucket('Blobs', {
    cors: false,
    transform: { bucket: { forceDestroy: !isProduction } },
  });
  abortMultipartUploads('Blobs', blobs, []);
  const data: Data = { blobs, uploads: createUploads(), table: createTable(isProduction) };
  createCatalog(blobs);
  return { ...data, functions: createFunctions(events, data) };
}

/**
 * Uploads have a bucket of their own: S3 tells EventBridge of every object of a bucket or of none, and a message for every segment
 * and block would cost more than storing them.
 */
function createUploads(): sst.aws.Bucket {
  const uploads = new sst.aws.Bucket('Uploads', { cors: false });
  new aws.s3.BucketNotification('UploadsEvents', { bucket: uploads.name, eventbridge: true });
  abortMultipartUploads('Uploads', uploads, [
    { id: 'expire-imports', status: 'Enabled', filter: { prefix: 'imports/' }, expiration: { days: 7 } },
  ]);
  return uploads;
}

type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

/** All that S3's own lifecycle does: blocks are removed by expiry, which knows what replaced them. */
function abortMultipartUploads(name: string, bucket: sst.aws.Bucket, more: readonly LifecycleRule[]): void {
  const abort: LifecycleRule = {
    id: 'abort-multipart',
    status: 'Enabled',
    filter: { prefix: '' },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
  };
  new aws.s3.BucketLifecycleConfiguration(`${name}Lifecycle`, { bucket: bucket.name, rules: [abort, ...more] });
}

function createTable(isProduction: boolean): sst.aws.Dynamo {
  return new sst.aws.Dynamo('Table', {
    fields: { pk: 'string', sk: 'string' },
    primaryIndex: { hashKey: 'pk', rangeKey: 'sk' },
    ttl: 'expiresAtS',
    deletionProtection: isProduction,
  });
}

function createFunctions(events: Events, data: Data): Functions {
  const define = (name: string, memory: `${number} MB`, permissions: sst.aws.FunctionPermissionArgs[]) =>
    defineFunction(events, data, name, {
      memory,
      timeout: '15 minutes',
      startedBy: 'events',
      permissions,
    });
  const { blobs, table } = data;
  const keep = onTable(table, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'ConditionCheckItem');
  return {
    'storage-compact': define('storage-compact', '1769 MB', [
      keep,
      within(blobs, ['s3:GetObject', 's3:DeleteObject'], 'segments', 'tier=hot'),
      within(blobs, ['s3:PutObject'], 'tier=hot'),
    ]),
    'storage-downsample': define('storage-downsample', '1769 MB', [
      keep,
      within(blobs, ['s3:GetObject'], 'tier=hot', 'tier=warm'),
      within(blobs, ['s3:PutObject', 's3:DeleteObject'], 'tier=warm', 'tier=cold'),
    ]),
    'storage-expire': define('storage-expire', '512 MB', [
      keep,
      within(blobs, ['s3:DeleteObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold'),
    ]),
    'storage-sweep': define('storage-sweep', '1024 MB', [
      onTable(table, 'GetItem', 'Query', 'PutItem', 'BatchWriteItem'), // a mark that was lost is put
      {
        actions: ['s3:ListBucket'],
        resources: [blobs.arn],
        conditions: [{ test: 'StringLike', variable: 's3:prefix', values: ['segments/*', 'tier=*', 'alerts/*'] }],
      },
      within(blobs, ['s3:DeleteObject'], 'segments', 'tier=hot', 'tier=warm', 'tier=cold', 'alerts'),
    ]),
    'events-publish': define('events-publish', '256 MB', [
      onTable(table, 'GetItem', 'Query', 'BatchWriteItem'),
      { actions: ['events:PutEvents'], resources: [events.bus.arn] },
    ]),
  };
}
