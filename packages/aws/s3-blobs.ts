import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { chunk, mapConcurrent } from '#core/batch.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import { assertBlobKey, assertByteRange, listLimit } from '#ports/blob-keys.ts';
import type { BlobPage, Blobs, ByteRange, PutOptions, StorageClass } from '#ports/blobs.ts';
import { type CallOptions, callAws, pause } from './call.ts';

export interface S3Deps {
  readonly client: S3Client;
  readonly bucket: string;
  readonly retry?: RetryOptions | undefined;
}

const storageClasses = { standard: 'STANDARD', infrequent: 'STANDARD_IA', 'archive-instant': 'GLACIER_IR' } as const satisfies Record<
  StorageClass,
  string
>;
const MAX_DELETE_KEYS = 1_000;
const CONCURRENT_DELETES = 4;

/**
 * The Blobs port on one bucket. A put carries `If-None-Match: *`, so S3 itself decides who creates a key: 412 is `exists`, 409
 * (a race that S3 did not settle) is sent again. After a lost answer a put is not repeated here, since it would meet itself.
 */
export function createS3Blobs(deps: S3Deps): Blobs {
  return {
    get: (key, range) => getObject(deps, key, range),
    put: (key, body, options) => putObject(deps, key, body, options ?? {}),
    list: (prefix, page) => listObjects(deps, prefix, page ?? {}),
    async delete(keys) {
      keys.forEach(assertBlobKey);
      const failures = await mapConcurrent(chunk(keys, MAX_DELETE_KEYS), CONCURRENT_DELETES, (part) => deleteObjects(deps, part));
      throwFirst(deps, failures.flat());
    },
  };
}

function callOn(deps: S3Deps, operation: string, repeat: CallOptions['repeat'], key?: string): CallOptions {
  const resource = key === undefined ? `bucket "${deps.bucket}"` : `object "${key}" in bucket "${deps.bucket}"`;
  return { operation, resource, repeat, retry: deps.retry };
}

async function getObject(deps: S3Deps, key: string, range: ByteRange | undefined): Promise<Uint8Array> {
  assertBlobKey(key);
  if (range !== undefined) assertByteRange(range);
  const Range = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` };
  const options = callOn(deps, 's3:GetObject', 'always', key);
  return await callAws(options, async () => {
    const { Body } = await deps.client.send(new GetObjectCommand({ Bucket: deps.bucket, Key: key, ...Range }));
    if (Body === undefined) throw new OpsError('unavailable', `${options.resource}: the answer has no body`);
    return await Body.transformToByteArray();
  });
}

async function putObject(deps: S3Deps, key: string, body: Uint8Array, { storageClass }: PutOptions): Promise<'created' | 'exists'> {
  assertBlobKey(key);
  const input = {
    Bucket: deps.bucket,
    Key: key,
    Body: body,
    IfNoneMatch: '*',
    ...(storageClass === undefined ? {} : { StorageClass: storageClasses[storageClass] }),
  };
  try {
    await callAws(callOn(deps, 's3:PutObject', 'refused', key), () => deps.client.send(new PutObjectCommand(input)));
    return 'created';
  } catch (error) {
    if (isOpsError(error, 'conflict')) return 'exists';
    throw error;
  }
}

async function listObjects(
  deps: S3Deps,
  prefix: string,
  page: { after?: string | undefined; limit?: number | undefined },
): Promise<BlobPage> {
  const input = { Bucket: deps.bucket, Prefix: prefix, MaxKeys: listLimit(page.limit), StartAfter: page.after };
  const options = callOn(deps, 's3:ListBucket', 'always');
  const { Contents = [], IsTruncated } = await callAws(options, () => deps.client.send(new ListObjectsV2Command(input)));
  const entries = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
    key: Key,
    sizeBytes: Size,
    modifiedAtMs: LastModified?.getTime() ?? 0,
  }));
  const last = entries.at(-1);
  return IsTruncated === true && last !== undefined ? { entries, next: last.key } : { entries };
}

interface DeleteFailure {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** Deletes up to 1,000 keys; those that S3 reports as failed are sent again. Gives what failed in the end. */
async function deleteObjects(deps: S3Deps, keys: readonly string[]): Promise<DeleteFailure[]> {
  const retry = deps.retry ?? defaultRetry;
  let left = keys;
  for (let attempt = 1; ; attempt++) {
    const failures = await sendDelete(deps, left);
    if (failures.length === 0 || attempt === retry.attempts || failures.every(isPermanent)) return failures;
    await pause(retry, attempt);
    left = failures.map((failure) => failure.key);
  }
}

/** One request; a request that fails as a whole counts as a failure of each key, so that the other parts are still tried. */
async function sendDelete(deps: S3Deps, keys: readonly string[]): Promise<DeleteFailure[]> {
  const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
  const options = callOn(deps, 's3:DeleteObject', 'always');
  try {
    const { Errors = [] } = await callAws(options, () => deps.client.send(new DeleteObjectsCommand({ Bucket: deps.bucket, Delete })));
    return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code = 'Unknown', Message = '' }) => ({
      key: Key,
      code: Code,
      message: Message,
    }));
  } catch (error) {
    if (!isOpsError(error, 'unavailable')) throw error;
    return keys.map((key) => ({ key, code: 'Unavailable', message: error.message }));
  }
}

function isPermanent(failure: DeleteFailure): boolean {
  return failure.code === 'AccessDenied';
}

function throwFirst(deps: S3Deps, failures: readonly DeleteFailure[]): void {
  const first = failures[0];
  if (first === undefined) return;
  const what = `s3:DeleteObject left ${failures.length} objects in bucket "${deps.bucket}", the first "${first.key}": ${first.code}: ${first.message}`;
  if (failures.every(isPermanent)) throw new OpsError('denied', what, { hint: 'Allow the running role s3:DeleteObject on the bucket.' });
  throw new OpsError('unavailable', what);
}
