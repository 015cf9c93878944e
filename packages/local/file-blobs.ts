import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { assertBlobKey, assertByteRange, assertRangeWithin, listLimit } from '#ports/blob-keys.ts';
import type { BlobEntry, Blobs, ByteRange } from '#ports/blobs.ts';
import { listKeys } from './blob-list.ts';
import { blobPath } from './blob-paths.ts';
import { createDurableFolders, type DurableFolders, unless } from './durable-folders.ts';

const CONCURRENT_CALLS = 16;
const PUT_ATTEMPTS = 100;
const STALE_AFTER_MS = 3_600_000;

export interface FileBlobsOptions {
  /** Holds the objects and nothing else. */
  readonly folder: string;
  /** On the same file system; holds what is being written. */
  readonly tempFolder: string;
  /** What objects are stamped by; absent, by the clock of the file system, which all who share it have in common. */
  readonly clock?: Clock | undefined;
}

/** Blobs as files, which can come as streams. */
export interface FileBlobs extends Blobs {
  /** As `put`; where the stream fails nothing is there, and its error is thrown. */
  putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<'created' | 'exists'>;
}

/**
 * Opens the Blobs port on files below a folder; several processes may hold it. An object is written and synced elsewhere and then
 * linked to its place, which fails if the place is taken: so one put wins, and no reader sees half of one. The file system must have
 * hard links and tell upper from lower case.
 */
export async function openFileBlobs({ folder, tempFolder, clock }: FileBlobsOptions): Promise<FileBlobs> {
  await mkdir(folder, { recursive: true });
  await mkdir(tempFolder, { recursive: true });
  await removeStale(tempFolder);
  const folders = createDurableFolders(folder);
  const put = (key: string, body: Body) => {
    assertBlobKey(key);
    const temp = join(tempFolder, `${process.pid}-${randomUUID()}`);
    return inOurTerms(`write ${key}`, () => putBlob(folders, temp, blobPath(folder, key), body, clock?.()));
  };
  return {
    async get(key, range) {
      assertBlobKey(key);
      if (range) assertByteRange(range);
      return inOurTerms(`read ${key}`, () => readBlob(key, blobPath(folder, key), range));
    },
    put: async (key, body) => put(key, body),
    putStream: async (key, body) => put(key, body),
    async list(prefix, page = {}) {
      const limit = listLimit(page.limit);
      return inOurTerms(`list ${prefix}`, async () => {
        const found = await listKeys(folder, prefix, page.after ?? '', limit + 1);
        const entries = await mapConcurrent(found.slice(0, limit), CONCURRENT_CALLS, ({ text, path }) => describeBlob(text, path));
        const present = entries.filter((entry) => entry !== undefined);
        return found.length > limit ? { entries: present, next: found[limit - 1].text } : { entries: present };
      });
    },
    async delete(keys) {
      keys.forEach(assertBlobKey);
      return deleteBlobs(folders, folder, keys);
    },
  };
}

async function readBlob(key: string, path: string, range: ByteRange | undefined): Promise<Uint8Array> {
  const handle = await open(path, 'r').catch(unless('ENOENT', 'ENOTDIR'));
  if (!handle) throw new OpsError('missing', `there is no object ${key}`);
  try {
    const { size } = await handle.stat();
    if (range) assertRangeWithin(key, range, size);
    const start = range?.start ?? 0;
    return await readBytes(handle, start, Math.min(size, range?.end ?? size) - start);
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, start: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, done, sizeBytes - done, start + done);
    if (bytesRead === 0) throw new Error(`the file ends ${sizeBytes - done} bytes too early`);
    done += bytesRead;
  }
  return bytes;
}

type Body = Uint8Array | AsyncIterable<Uint8Array>;

async function putBlob(folders: DurableFolders, temp: string, path: string, body: Body, nowMs: number | undefined) {
  const parent = dirname(path);
  try {
    await writeSynced(temp, body, nowMs);
    const created = await linkInto(folders, temp, path, parent);
    // Also where another put was first: it may not have come to this point yet.
    await folders.sync(parent);
    return created ? 'created' : 'exists';
  } finally {
    await unlink(temp).catch(unless('ENOENT'));
  }
}

async function writeSynced(path: string, body: Body, nowMs: number | undefined): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(body);
    if (nowMs !== undefined) await handle.utimes(nowMs / 1_000, nowMs / 1_000);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** True if the link was made, false if the place was taken. A folder can go between its making and the link: then once more. */
async function linkInto(folders: DurableFolders, temp: string, path: string, parent: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await folders.ensure(parent);
      await link(temp, path);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (code !== 'ENOENT' || attempt === PUT_ATTEMPTS) throw error;
      folders.forget(parent);
    }
  }
}

async function describeBlob(key: string, path: string): Promise<BlobEntry | undefined> {
  const found = await stat(path).catch(unless('ENOENT'));
  return found && { key, sizeBytes: found.size, modifiedAtMs: Math.round(found.mtimeMs) };
}

async function deleteBlobs(folders: DurableFolders, root: string, keys: readonly string[]): Promise<void> {
  const parents = new Set<string>();
  const failures: unknown[] = [];
  await mapConcurrent(keys, CONCURRENT_CALLS, async (key) => {
    const path = blobPath(root, key);
    try {
      await unlink(path).catch(unless('ENOENT', 'ENOTDIR'));
      parents.add(dirname(path));
    } catch (error) {
      failures.push(error);
    }
  });
  await mapConcurrent([...parents], CONCURRENT_CALLS, (parent) => folders.prune(parent).catch((error) => failures.push(error)));
  if (failures.length > 0) {
    throw new OpsError('unavailable', `${failures.length} of ${keys.length} objects could not be deleted`, { cause: failures[0] });
  }
}

/** Removes what processes that are gone have left; those that live may be writing. */
async function removeStale(tempFolder: string): Promise<void> {
  const names = await readdir(tempFolder);
  await mapConcurrent(names, CONCURRENT_CALLS, async (name) => {
    const path = join(tempFolder, name);
    // Time of the last change by the system's clock, which nobody can set.
    const changedAtMs = (await stat(path).catch(unless('ENOENT')))?.ctimeMs ?? 0;
    const pid = Number.parseInt(name, 10);
    const bornAtMs = pid === process.pid ? performance.timeOrigin : Date.now() - STALE_AFTER_MS;
    if (changedAtMs < bornAtMs || !isAlive(pid)) await unlink(path).catch(unless('ENOENT'));
  });
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function inOurTerms<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new OpsError(denied ? 'denied' : 'unavailable', `cannot ${what}: ${message}`, { cause });
  }
}
