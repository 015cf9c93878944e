import { GetObjectTaggingCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { callAws } from '#aws/call.ts';
import type { RetryOptions } from '#core/retry.ts';
import type { Json } from '#model/json.ts';

export interface ObjectDeps {
  readonly client: S3Client;
  readonly bucket: string;
  readonly retry: RetryOptions;
}

export interface ObjectPlace {
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** What S3 says of one object, its tags apart. */
export interface ObjectHead {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly modifiedAtMs: number;
  readonly storageClass: string;
  readonly archiveStatus?: string | undefined;
  /** The header that says how a restore from an archive stands. */
  readonly restore?: string | undefined;
  /** By the names of the command's input, so that a put takes them as they are. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const HEADERS = [
  'ContentType',
  'ContentEncoding',
  'ContentLanguage',
  'ContentDisposition',
  'CacheControl',
  'WebsiteRedirectLocation',
] as const;

/** `s3:GetObject` (of a version: `s3:GetObjectVersion`). `missing` where it is gone. */
export async function headObject(deps: ObjectDeps, { key, versionId }: ObjectPlace): Promise<ObjectHead> {
  const command = new HeadObjectCommand({ Bucket: deps.bucket, Key: key, VersionId: versionId });
  const answer = await callAws(callOnObject(deps, 's3:GetObject', key), () => deps.client.send(command));
  const headers = HEADERS.flatMap((name) => (answer[name] === undefined ? [] : [[name, answer[name]] as const]));
  const expires = answer.ExpiresString;
  return {
    sizeBytes: answer.ContentLength ?? 0,
    etag: answer.ETag ?? '',
    versionId: answer.VersionId === 'null' ? undefined : answer.VersionId,
    modifiedAtMs: answer.LastModified?.getTime() ?? 0,
    storageClass: answer.StorageClass ?? 'STANDARD',
    archiveStatus: answer.ArchiveStatus,
    restore: answer.Restore,
    headers: Object.fromEntries([...headers, ...(expires === undefined ? [] : [['Expires', expires] as const])]),
    metadata: answer.Metadata ?? {},
  };
}

/** `s3:GetObjectTagging` (of a version: `s3:GetObjectVersionTagging`). */
export async function readTags(deps: ObjectDeps, { key, versionId }: ObjectPlace): Promise<Record<string, string>> {
  const command = new GetObjectTaggingCommand({ Bucket: deps.bucket, Key: key, VersionId: versionId });
  const { TagSet = [] } = await callAws(callOnObject(deps, 's3:GetObjectTagging', key), () => deps.client.send(command));
  return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** An entry's `meta`: all that a put needs to make the object again. */
export function toMeta(key: string, head: ObjectHead, tags: Record<string, string>): { readonly [name: string]: Json } {
  const { etag, versionId, modifiedAtMs, storageClass, headers, metadata } = head;
  const at = { ...(versionId === undefined ? {} : { versionId }), modifiedAt: new Date(modifiedAtMs).toISOString() };
  return { key, etag, ...at, storageClass, headers, metadata, tags };
}

/** How a call on an object is named in errors; repeated unless the caller says otherwise. */
export function callOnObject({ bucket, retry }: Pick<ObjectDeps, 'bucket' | 'retry'>, operation: string, key: string) {
  return { operation, resource: `object "${key}" in bucket "${bucket}"`, repeat: 'always', retry } as const;
}
