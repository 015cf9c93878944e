import { GetObjectRetentionCommand, PutObjectRetentionCommand, type S3Client } from '@aws-sdk/client-s3';
import { callAws } from '#aws/call.ts';
import { createS3Blobs } from '#aws/s3-blobs.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import { isBlobKey } from '#ports/blob-keys.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Retention } from '#ports/object-lock.ts';
import { type ArchivePolicy, restoreArchived } from './archived-object.ts';
import { headObject } from './object-head.ts';

export interface S3BlobsAtOptions {
  readonly client: S3Client;
  readonly clock: () => number;
  readonly retry?: RetryOptions | undefined;
  /** How objects that a lifecycle rule moved into an archive class are made readable again. Default: reading one is `denied`. */
  readonly archive?: ArchivePolicy | undefined;
}

/** A repository's place on S3. */
export interface S3Place {
  readonly blobs: Blobs;
  readonly retention: Retention;
}

/**
 * Blobs and retention at `s3://bucket/prefix`. Needs s3:GetObject, PutObject, ListBucket; s3:DeleteObject only for who prunes,
 * s3:GetObjectRetention and PutObjectRetention with Object Lock, s3:RestoreObject with archives.
 */
export function s3BlobsAt(url: string, options: S3BlobsAtOptions): S3Place {
  const { bucket, prefix } = parseS3Url(url);
  const retry = options.retry ?? defaultRetry;
  const deps = { ...options, bucket, retry };
  const blobs = blobsBelow(createS3Blobs({ client: options.client, bucket, retry }), prefix);
  return {
    blobs: { ...blobs, get: (key, range) => getArchived(deps, `${prefix}${key}`, () => blobs.get(key, range)) },
    retention: createS3Retention({ client: options.client, bucket, prefix, retry }),
  };
}

/** Bucket and prefix of `s3://bucket/a/b`; the prefix is empty or ends with a slash. `input` for anything else. */
function parseS3Url(url: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(url) ?? [];
  const folder = path.replace(/\/$/, '');
  if (bucket !== undefined && (folder === '' || isBlobKey(folder))) return { bucket, prefix: folder === '' ? '' : `${folder}/` };
  throw new OpsError('input', `${JSON.stringify(url.slice(0, 100))} is no place on S3`, { hint: 's3://bucket or s3://bucket/prefix' });
}

/** The store as seen from a prefix, which is empty or ends with a slash. */
export function blobsBelow(blobs: Blobs, prefix: string): Blobs {
  if (prefix === '') return blobs;
  const short = (key: string) => key.slice(prefix.length);
  return {
    get: (key, range) => blobs.get(`${prefix}${key}`, range),
    put: (key, body, options) => blobs.put(`${prefix}${key}`, body, options),
    delete: (keys) => blobs.delete(keys.map((key) => `${prefix}${key}`)),
    async list(part, page = {}) {
      const { entries, next } = await blobs.list(`${prefix}${part}`, {
        ...page,
        after: page.after === undefined ? undefined : `${prefix}${page.after}`,
      });
      const own = entries.map((entry) => ({ ...entry, key: short(entry.key) }));
      return next === undefined ? { entries: own } : { entries: own, next: short(next) };
    },
  };
}

interface LockDeps {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly retry: RetryOptions;
}

function callOn({ bucket, retry }: Pick<LockDeps, 'bucket' | 'retry'>, operation: string, key: string) {
  return { operation, resource: `object "${key}" in bucket "${bucket}"`, repeat: 'always', retry } as const;
}

/** Object Lock's retention, in the mode that an object has, or governance where it has none yet. */
function createS3Retention(deps: LockDeps): Retention {
  const read = async (Key: string) => {
    const command = new GetObjectRetentionCommand({ Bucket: deps.bucket, Key });
    return await callAws(callOn(deps, 's3:GetObjectRetention', Key), async () => {
      try {
        return (await deps.client.send(command)).Retention;
      } catch (error) {
        // An object without retention, or a bucket without Object Lock.
        const { name, message } = error as Error;
        if (
          name === 'NoSuchObjectLockConfiguration' ||
          name === 'ObjectLockConfigurationNotFoundError' ||
          (name === 'InvalidRequest' && /lock/i.test(message))
        )
          return undefined;
        throw error;
      }
    });
  };
  return {
    async retainUntilMs(key) {
      return (await read(`${deps.prefix}${key}`))?.RetainUntilDate?.getTime();
    },
    async extend(key, untilMs) {
      const Key = `${deps.prefix}${key}`;
      const now = await read(Key);
      if ((now?.RetainUntilDate?.getTime() ?? 0) >= untilMs) return;
      const Retention = { Mode: now?.Mode ?? 'GOVERNANCE', RetainUntilDate: new Date(untilMs) };
      const command = new PutObjectRetentionCommand({ Bucket: deps.bucket, Key, Retention });
      await callAws(callOn(deps, 's3:PutObjectRetention', Key), () => deps.client.send(command));
    },
  };
}

/** Reads; where S3 says that the object is in an archive, has it brought back and reads again. */
async function getArchived<T>(
  deps: S3BlobsAtOptions & { bucket: string; retry: RetryOptions },
  key: string,
  get: () => Promise<T>,
): Promise<T> {
  try {
    return await get();
  } catch (error) {
    if (!isOpsError(error) || (error.cause as Error | undefined)?.name !== 'InvalidObjectState') throw error;
    await restoreArchived(deps, { key }, await headObject(deps, { key }), deps.archive);
    return await get();
  }
}
