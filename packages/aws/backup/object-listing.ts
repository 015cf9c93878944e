import { GetBucketVersioningCommand, ListObjectsV2Command, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import type { ObjectDeps } from './object-head.ts';

/** One version of an object, or a marker that it was deleted. */
export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly modifiedAtMs: number;
  readonly isDeleted: boolean;
}

// An object with more versions than this is read as of an instant well enough, but its whole history does not fit into memory.
const MAX_VERSIONS = 100_000;

/** Keys with the prefix, after a key, in the order of their UTF-8 bytes. `s3:ListBucket`. */
export async function* listKeys(deps: ObjectDeps, prefix: string, afterKey: string | undefined): AsyncGenerator<string> {
  for (let StartAfter = afterKey; ; ) {
    const command = new ListObjectsV2Command({ Bucket: deps.bucket, Prefix: prefix, StartAfter, EncodingType: 'url' });
    const page = await callAws(callOnBucket(deps, 's3:ListBucket'), () => deps.client.send(command));
    const keys = (page.Contents ?? []).map(({ Key = '' }) => decodeKey(Key));
    yield* keys;
    if (page.IsTruncated !== true || keys.length === 0) return;
    StartAfter = keys.at(-1);
  }
}

/** The versions of each key, the oldest first; keys in the order of their UTF-8 bytes. `s3:ListBucketVersions`. */
export async function* listVersions(deps: ObjectDeps, prefix: string, afterKey: string | undefined): AsyncGenerator<ListedVersion[]> {
  let group: ListedVersion[] = [];
  for await (const version of listEachVersion(deps, prefix, afterKey)) {
    if (group[0] !== undefined && group[0].key !== version.key) {
      yield group.reverse();
      group = [];
    }
    group.push(version);
    if (group.length > MAX_VERSIONS) throw new OpsError('limit', `object "${version.key}" has more than ${MAX_VERSIONS} versions`);
  }
  if (group.length > 0) yield group.reverse();
}

/** The newest first within a key. */
async function* listEachVersion(deps: ObjectDeps, prefix: string, afterKey: string | undefined): AsyncGenerator<ListedVersion> {
  let KeyMarker = afterKey;
  for (let VersionIdMarker: string | undefined; ; ) {
    const input = { Bucket: deps.bucket, Prefix: prefix, KeyMarker, VersionIdMarker, EncodingType: 'url' } as const;
    const page = await callAws(callOnBucket(deps, 's3:ListBucketVersions'), () => deps.client.send(new ListObjectVersionsCommand(input)));
    const versions = (page.Versions ?? []).map((version) => ({ ...version, isDeleted: false }));
    const markers = (page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isDeleted: true }));
    for (const version of mergeVersions([...versions, ...markers])) if (isAfter(version.key, afterKey)) yield version;
    if (page.IsTruncated !== true) return;
    KeyMarker = decodeKey(page.NextKeyMarker ?? '');
    VersionIdMarker = page.NextVersionIdMarker;
  }
}

/** Other servers begin at the marker's own key. */
function isAfter(key: string, afterKey: string | undefined): boolean {
  return afterKey === undefined || compareUtf8(key, afterKey) > 0;
}

interface RawVersion {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly isDeleted: boolean;
}

/** The SDK gives versions and markers apart: together they are ordered by key, then the latest first, then by time. */
function mergeVersions(raw: readonly RawVersion[]): ListedVersion[] {
  const keyed = raw.map((version, index) => ({
    ...version,
    index,
    key: decodeKey(version.Key ?? ''),
    atMs: version.LastModified?.getTime() ?? 0,
  }));
  keyed.sort(
    (a, b) =>
      compareUtf8(a.key, b.key) || Number(b.IsLatest ?? false) - Number(a.IsLatest ?? false) || b.atMs - a.atMs || a.index - b.index,
  );
  return keyed.map(({ key, VersionId = 'null', atMs, isDeleted }) => ({ key, versionId: VersionId, modifiedAtMs: atMs, isDeleted }));
}

/** The version that was current before an instant; undefined where there was none. S3's times are whole seconds, and so is the instant. */
export function versionAt(versions: readonly ListedVersion[], atMs: number): ListedVersion | undefined {
  const found = versions.findLast(({ modifiedAtMs }) => modifiedAtMs < atMs);
  return found === undefined || found.isDeleted ? undefined : found;
}

/** Throws `input` unless the bucket keeps versions. `s3:GetBucketVersioning`. */
export async function assertVersioned(deps: ObjectDeps): Promise<void> {
  const command = new GetBucketVersioningCommand({ Bucket: deps.bucket });
  const { Status } = await callAws(callOnBucket(deps, 's3:GetBucketVersioning'), () => deps.client.send(command));
  if (Status === 'Enabled') return;
  throw new OpsError('input', `bucket "${deps.bucket}" keeps no versions, from which a backup of one instant is made`, {
    hint: 'Switch versioning on, or take a backup that is not of one instant.',
  });
}

function callOnBucket({ bucket, retry }: ObjectDeps, operation: string) {
  return { operation, resource: `bucket "${bucket}"`, repeat: 'always', retry } as const;
}

/** Lists come form-encoded, since XML has no way to say some characters. */
function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (cause) {
    throw new OpsError('input', `a key of the list is not UTF-8: ${encoded.slice(0, 80)}`, { cause });
  }
}
