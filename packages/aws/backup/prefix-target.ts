import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import { callAws } from '#aws/call.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { BackupTarget, RestoredItem } from '#ports/backup-target.ts';
import { callOnObject, headObject, type ObjectDeps } from './object-head.ts';

export interface PrefixTargetOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Goes before every key. */
  readonly prefix: string;
  readonly retry?: RetryOptions | undefined;
  /** Replaces objects that are there with other bytes. Default false: they are a `conflict`. */
  readonly overwrite?: boolean | undefined;
  /** In place of the class that each object had. */
  readonly storageClass?: string | undefined;
  /** Size of a part, and the most that is held in memory; 5 MiB at least, and more where an object would have over 10,000. Default 16 MiB. */
  readonly partBytes?: number | undefined;
}

const MiB = 1024 * 1024;
const MAX_PARTS = 10_000;
const MAX_KEY_BYTES = 1_024;

const texts = z.record(z.string(), z.string());
const ObjectMeta = z.object({
  key: z.string().optional(),
  etag: z.string().optional(),
  storageClass: z.string().optional(),
  headers: texts.default({}),
  metadata: texts.default({}),
  tags: texts.default({}),
});
type ObjectMeta = z.infer<typeof ObjectMeta>;

/**
 * A prefix of a bucket as a target: objects with their headers, metadata, tags and class, and also plain files, by their paths. Each put
 * carries its MD5, which S3 verifies; the answer's ETag is compared with what was sent, and the size with what is there. A large object
 * is sent in parts and shows up whole or not at all. Needs s3:PutObject, PutObjectTagging, GetObject, ListBucket (without which an object that is not
 * there is `denied`), AbortMultipartUpload; for histories with deletions s3:DeleteObject.
 */
export function openPrefixTarget(options: PrefixTargetOptions): BackupTarget {
  const deps: Deps = { ...options, retry: options.retry ?? { ...defaultRetry, attempts: 8 } };
  let lastKey: string | undefined;
  return {
    type: 's3',
    name: `s3://${options.bucket}/${options.prefix}`,
    async plan(item) {
      if (item.kind === 'dir') return 'keep';
      const meta = parseMeta(item);
      const there = await findObject(deps, keyOf(deps, item, meta));
      if (there === undefined) return 'create';
      return there.etag === meta.etag && there.sizeBytes === item.sizeBytes ? 'keep' : 'replace';
    },
    async write(item) {
      if (item.kind === 'dir') return;
      if (item.kind !== 'object' && item.kind !== 'file' && item.kind !== 'delete-marker') {
        throw new OpsError('input', `a bucket takes no ${item.kind} (${item.path})`);
      }
      const meta = parseMeta(item);
      const key = keyOf(deps, item, meta);
      if (item.kind === 'delete-marker') await deleteObject(deps, key);
      // Versions of one object follow each other.
      else await writeObject(deps, { key, meta, item, mayReplace: options.overwrite === true || key === lastKey });
      lastKey = key;
    },
    async finish() {
      return [];
    },
  };
}

type Deps = PrefixTargetOptions & ObjectDeps;

interface ObjectWrite {
  readonly key: string;
  readonly meta: ObjectMeta;
  readonly item: RestoredItem;
  readonly mayReplace: boolean;
}

function parseMeta({ kind, path, meta }: Omit<RestoredItem, 'content'>): ObjectMeta {
  // A file's own metadata is of another kind.
  const parsed = ObjectMeta.safeParse(kind === 'file' ? {} : meta);
  if (parsed.success) return parsed.data;
  throw new OpsError('input', `${path} has no metadata of an object: ${z.prettifyError(parsed.error)}`);
}

function keyOf({ prefix }: Deps, { path }: Pick<RestoredItem, 'path'>, meta: ObjectMeta): string {
  const key = `${prefix}${meta.key ?? path}`;
  const isKey = key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= MAX_KEY_BYTES;
  if (isKey) return key;
  throw new OpsError('input', `${JSON.stringify(key.slice(0, 80))} cannot be a key`, { hint: `1 to ${MAX_KEY_BYTES} bytes of UTF-8` });
}

async function findObject(deps: Deps, key: string) {
  try {
    return await headObject(deps, { key });
  } catch (error) {
    if (isOpsError(error, 'missing')) return undefined;
    throw error;
  }
}

async function writeObject(deps: Deps, write: ObjectWrite): Promise<void> {
  const { key, item, mayReplace, meta } = write;
  if (!mayReplace && (await findObject(deps, key)) !== undefined) throw isThere(key);
  const partBytes = choosePartBytes(deps.partBytes ?? 16 * MiB, item.sizeBytes, meta.etag);
  const parts = cutParts(item.content ?? nothing(), partBytes);
  const first = (await parts.next()).value ?? Buffer.alloc(0);
  if (first.length < partBytes && item.sizeBytes <= partBytes) await putWhole(deps, write, first, item.sizeBytes);
  else await putInParts(deps, write, first, parts);
  const { sizeBytes } = await headObject(deps, { key });
  if (sizeBytes !== item.sizeBytes)
    throw new OpsError('unavailable', `object "${key}" has ${sizeBytes} bytes, ${item.sizeBytes} were to be written`);
}

/**
 * The size of parts by which an object gets the ETag that it had, where that can be told: it ends with the number of parts. Else the
 * size given, or what keeps their number possible.
 */
export function choosePartBytes(givenBytes: number, sizeBytes: number, etag: string | undefined): number {
  const count = Number(/-(\d+)"?$/.exec(etag ?? '')?.[1] ?? 0);
  const usual = [8, 16, 5, 10, 15, 25, 32, 50, 64].map((size) => size * MiB);
  const had = usual.find((size) => count > 0 && Math.ceil(sizeBytes / size) === count);
  return had ?? Math.max(givenBytes, 5 * MiB, Math.ceil(sizeBytes / MAX_PARTS / MiB) * MiB);
}

async function* cutParts(content: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of content) {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + partBytes - sizeBytes);
      held.push(taken);
      sizeBytes += taken.length;
      at += taken.length;
      if (sizeBytes < partBytes) continue;
      yield Buffer.concat(held);
      held = [];
      sizeBytes = 0;
    }
  }
  if (sizeBytes > 0) yield Buffer.concat(held);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function putWhole(deps: Deps, { key, meta, mayReplace }: ObjectWrite, Body: Buffer, sizeBytes: number): Promise<void> {
  if (Body.length !== sizeBytes) throw wrongSize(key, Body.length, sizeBytes);
  const md5 = createHash('md5').update(Body).digest();
  const input = { ...describe(deps, key, meta), Body, ContentMD5: md5.toString('base64'), ...(!mayReplace && { IfNoneMatch: '*' }) };
  // Sent again after a lost answer it could meet itself; the engine begins the object anew and finds it.
  const options = { ...callOnObject(deps, 's3:PutObject', key), repeat: mayReplace ? 'always' : 'refused' } as const;
  const answer = await callAws(options, () => deps.client.send(new PutObjectCommand(input))).catch((error: unknown) => {
    throw isOpsError(error, 'conflict') ? isThere(key, error) : error;
  });
  assertEtag(key, answer, md5.toString('hex'));
}

async function putInParts(deps: Deps, write: ObjectWrite, first: Buffer, rest: AsyncIterable<Buffer>): Promise<void> {
  const { key, meta, item, mayReplace } = write;
  const at = { Bucket: deps.bucket, Key: key };
  const on = callOnObject(deps, 's3:PutObject', key);
  const { UploadId } = await callAws({ ...on, repeat: 'refused' }, () =>
    deps.client.send(new CreateMultipartUploadCommand(describe(deps, key, meta))),
  );
  try {
    const digests: Buffer[] = [];
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    let sentBytes = 0;
    const send = async (Body: Buffer) => {
      const md5 = createHash('md5').update(Body).digest();
      const PartNumber = Parts.length + 1;
      const command = new UploadPartCommand({ ...at, UploadId, PartNumber, Body, ContentMD5: md5.toString('base64') });
      const { ETag } = await callAws(on, () => deps.client.send(command));
      Parts.push({ PartNumber, ETag });
      digests.push(md5);
      sentBytes += Body.length;
    };
    await send(first);
    for await (const part of rest) await send(part);
    if (sentBytes !== item.sizeBytes) throw wrongSize(key, sentBytes, item.sizeBytes);
    const command = new CompleteMultipartUploadCommand({
      ...at,
      UploadId,
      MultipartUpload: { Parts },
      ...(!mayReplace && { IfNoneMatch: '*' }),
    });
    const answer = await callAws({ ...on, repeat: 'refused' }, () => deps.client.send(command));
    assertEtag(key, answer, `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${Parts.length}`);
  } catch (error) {
    // What cannot be taken back now the bucket's lifecycle rule for incomplete uploads removes.
    await callAws(callOnObject(deps, 's3:AbortMultipartUpload', key), () =>
      deps.client.send(new AbortMultipartUploadCommand({ ...at, UploadId })),
    ).catch(() => undefined);
    throw isOpsError(error, 'conflict') ? isThere(key, error) : error;
  }
}

function describe(deps: Deps, key: string, { headers, metadata, tags, storageClass }: ObjectMeta) {
  const { Expires, ...named } = headers;
  const Tagging = Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const chosen = deps.storageClass ?? storageClass;
  const expires = Expires === undefined ? Number.NaN : Date.parse(Expires);
  return {
    Bucket: deps.bucket,
    Key: key,
    ...named,
    ...(!Number.isNaN(expires) && { Expires: new Date(expires) }),
    Metadata: metadata,
    ...(Tagging !== '' && { Tagging }),
    ...(chosen !== undefined && chosen !== 'STANDARD' && { StorageClass: chosen as NonNullable<PutObjectCommandInput['StorageClass']> }),
  };
}

interface Stored {
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}

/** ETags are MD5s unless a key of KMS or of the client encrypts the object. */
function assertEtag(key: string, answer: Stored, md5: string): void {
  if (answer.ServerSideEncryption?.startsWith('aws:kms') || answer.SSECustomerAlgorithm !== undefined) return;
  const etag = answer.ETag?.replaceAll('"', '');
  if (etag === undefined || !/^[0-9a-f]{32}(-\d+)?$/.test(etag) || etag === md5) return;
  throw new OpsError('unavailable', `object "${key}" is not what was sent: its ETag is ${etag}, not ${md5}`);
}

async function deleteObject(deps: Deps, Key: string): Promise<void> {
  await callAws(callOnObject(deps, 's3:DeleteObject', Key), () => deps.client.send(new DeleteObjectCommand({ Bucket: deps.bucket, Key })));
}

function isThere(key: string, cause?: unknown): OpsError {
  return new OpsError('conflict', `object "${key}" is there already`, {
    cause,
    hint: 'Restore below another prefix, or say that objects may be replaced.',
  });
}

function wrongSize(key: string, had: number, wanted: number): OpsError {
  return new OpsError('input', `object "${key}" came with ${had} bytes of ${wanted}`);
}
