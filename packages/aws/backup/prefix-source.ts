import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import { type Clock, SECOND_MS } from '#core/time.ts';
import type { BackupSource, SourceFault, SourceGuarantee, SourceItem } from '#ports/backup-source.ts';
import { type ArchivePolicy, needsRestore, restoreArchived } from './archived-object.ts';
import { mapAhead } from './map-ahead.ts';
import { headObject, type ObjectDeps, type ObjectPlace, readTags, toMeta } from './object-head.ts';
import { assertVersioned, type ListedVersion, listKeys, listVersions, versionAt } from './object-listing.ts';
import { readObject } from './read-object.ts';

export interface PrefixSourceOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Keys that begin with it; empty for the whole bucket. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly retry?: RetryOptions | undefined;
  /**
   * `current` (default): each object as it is when it is listed. `moment`: every object as it was when the backup began, by its versions.
   * `all`: each version of each object, and the markers of deletions.
   */
  readonly versions?: 'current' | 'moment' | 'all' | undefined;
  /** Whether tags are read, a request for each object. Default true. */
  readonly tags?: boolean | undefined;
  /** How objects in archive classes are made readable. Default: they are not, and reading one is `denied`. */
  readonly archive?: ArchivePolicy | undefined;
  /** How far this clock and S3's may be apart; a backup of one instant waits twice as long. Default 2 s. */
  readonly clockMarginMs?: number | undefined;
  /** Objects that are looked at together. Default 16. */
  readonly parallel?: number | undefined;
}

const Cursor = z.object({
  v: z.literal(1),
  atMs: z.number(),
  phase: z.enum(['objects', 'unsafe', 'versions']),
  /** The last key of the phase that is done with. */
  key: z.string().optional(),
  /** Of the next key, the versions that are done with. */
  done: z.number().int().default(0),
});
type Cursor = z.infer<typeof Cursor>;

/**
 * The objects below a prefix as a source, kind `object`. An object lies at `objects/<key without the prefix>`; one whose key cannot be a path
 * (an empty, `.` or `..` segment, a slash at the end) at `unsafe/k<hex>`. With `all`, versions lie at `versions/k<hex>.<number>`, the oldest
 * first, deletions with kind `delete-marker`. `meta.key` is the key without the prefix. What is gone or denied by the time it is looked at is a fault.
 * Needs s3:ListBucket, GetObject, GetObjectTagging; with versions s3:ListBucketVersions, GetBucketVersioning, GetObjectVersion,
 * GetObjectVersionTagging; for archives s3:RestoreObject.
 */
export function openPrefixSource(options: PrefixSourceOptions): BackupSource {
  const { bucket, prefix, versions = 'current' } = options;
  const deps: Deps = { ...options, retry: options.retry ?? { ...defaultRetry, attempts: 8 } };
  let state: Cursor | undefined;
  return {
    type: 's3',
    name: `s3://${bucket}/${prefix}`,
    async *list({ after, onFault }) {
      if (versions !== 'current') await assertVersioned(deps);
      const start = after === undefined ? await startCursor(deps) : parseCursor(after);
      state = start;
      const found = mapAhead(listPlaces(deps, start), options.parallel ?? 16, (place) => lookAt(deps, place));
      // Each in its turn: what was looked at ahead is looked at again by a run that goes on.
      for await (const item of found) {
        if ('cursor' in item) yield item;
        else onFault(item);
      }
    },
    async guarantee() {
      if (state === undefined) throw new OpsError('input', `s3://${bucket}/${prefix} has not been read yet`);
      return guaranteeOf(versions, state.atMs);
    },
    async close() {},
  };
}

type Deps = PrefixSourceOptions & ObjectDeps;

/** One thing to look at, and where it will lie. */
interface Place extends ObjectPlace {
  readonly path: string;
  readonly isDeleted: boolean;
  readonly cursor: Cursor;
}

async function startCursor({ versions = 'current', clock, clockMarginMs = 2 * SECOND_MS, retry }: Deps): Promise<Cursor> {
  if (versions !== 'moment') return { v: 1, atMs: clock(), phase: versions === 'all' ? 'versions' : 'objects', done: 0 };
  // A full second that is to come by S3's clock, and has passed by it when the list begins.
  const atMs = Math.ceil((clock() + clockMarginMs) / SECOND_MS) * SECOND_MS;
  for (;;) {
    const waitMs = atMs + clockMarginMs - clock();
    if (waitMs <= 0) break;
    await retry.sleep(waitMs);
  }
  return { v: 1, atMs, phase: 'objects', done: 0 };
}

function parseCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(text));
  } catch (cause) {
    throw new OpsError('input', 'this is no place in a list of objects', { cause });
  }
}

async function* listPlaces(deps: Deps, start: Cursor): AsyncGenerator<Place> {
  if (start.phase === 'versions') return yield* listHistory(deps, start);
  let hasUnsafe = start.phase === 'unsafe' || start.key !== undefined;
  if (start.phase === 'objects') {
    for await (const place of listCurrent(deps, start.key, start.atMs)) {
      const name = place.key.slice(deps.prefix.length);
      if (isPath(name)) yield { ...place, path: `objects/${name}`, isDeleted: false, cursor: { ...start, key: place.key } };
      else hasUnsafe = true;
    }
  }
  if (!hasUnsafe) return;
  const cursor: Cursor = { ...start, phase: 'unsafe' };
  for await (const place of listCurrent(deps, start.phase === 'unsafe' ? start.key : undefined, start.atMs)) {
    const name = place.key.slice(deps.prefix.length);
    if (!isPath(name)) yield { ...place, path: `unsafe/${hexOf(name)}`, isDeleted: false, cursor: { ...cursor, key: place.key } };
  }
}

async function* listCurrent(deps: Deps, afterKey: string | undefined, atMs: number): AsyncGenerator<ObjectPlace> {
  if (deps.versions !== 'moment') {
    for await (const key of listKeys(deps, deps.prefix, afterKey)) yield { key };
    return;
  }
  for await (const versions of listVersions(deps, deps.prefix, afterKey)) {
    const version = versionAt(versions, atMs);
    if (version) yield { key: version.key, versionId: version.versionId };
  }
}

async function* listHistory(deps: Deps, start: Cursor): AsyncGenerator<Place> {
  let previous = start.key;
  for await (const versions of listVersions(deps, deps.prefix, previous)) {
    const done = previous === start.key ? start.done : 0;
    const { key } = versions[0] as ListedVersion;
    for (const [index, { versionId, isDeleted }] of versions.entries()) {
      if (index < done) continue;
      const path = `versions/${hexOf(key.slice(deps.prefix.length))}.${String(index).padStart(6, '0')}`;
      const isLast = index === versions.length - 1;
      const cursor = isLast ? { ...start, key, done: 0 } : { ...start, key: previous, done: index + 1 };
      yield { key, versionId, isDeleted, path, cursor };
    }
    previous = key;
  }
}

async function lookAt(deps: Deps, place: Place): Promise<SourceItem | SourceFault> {
  const { path, key } = place;
  const cursor = JSON.stringify(place.cursor);
  const name = key.slice(deps.prefix.length);
  if (place.isDeleted) return { path, kind: 'delete-marker', stamp: place.versionId, meta: { key: name }, cursor };
  try {
    const head = await headObject(deps, place);
    const tags = deps.tags === false ? {} : await readTags(deps, place);
    const { sizeBytes, etag, versionId, modifiedAtMs } = head;
    const object = { key, versionId: place.versionId, etag, sizeBytes };
    const open = async function* (offset: number) {
      if (needsRestore(head)) await restoreArchived(deps, place, head, deps.archive);
      yield* readObject(deps, object, offset);
    };
    const stamp = versionId === undefined ? `${etag} ${sizeBytes} ${modifiedAtMs}` : `version ${versionId}`;
    return { path, kind: 'object', stamp, meta: toMeta(name, head, tags), open, cursor };
  } catch (error) {
    // One object; the store as a whole is another matter.
    if (!isOpsError(error) || error.kind === 'unavailable') throw error;
    return { path, message: error.message };
  }
}

/** True for a key that can stand as a path. */
function isPath(name: string): boolean {
  return !name.includes('\0') && name.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

function hexOf(name: string): string {
  return `k${Buffer.from(name).toString('hex')}`;
}

function guaranteeOf(versions: 'current' | 'moment' | 'all', atMs: number): SourceGuarantee {
  const at = new Date(atMs).toISOString();
  if (versions === 'moment') {
    const sentence =
      'Every object is the version that was current at this instant, by the times that S3 gave its versions; an upload in parts counts from its beginning.';
    return { consistency: 'moment', at, sentence };
  }
  const sentence =
    versions === 'all'
      ? 'Every version that was there when its object was listed; versions never change, but objects were listed one after the other.'
      : 'Each object is as it was when it was listed; one that changed before it was read failed and is told.';
  return { consistency: 'fuzzy', at, sentence };
}
