import type { ChunkerParameters } from '#backups/chunks/fast-cdc.ts';
import type { Secrets } from '#backups/format/secrets.ts';
import { type RetryOptions, retry } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { BlobEntry, Blobs } from '#ports/blobs.ts';

/** What every verb needs of the world beside the repository. */
export interface BackupDeps {
  readonly clock: Clock;
  /** Cryptographically strong. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/** What it takes to reach a repository. */
export interface RepositoryDeps {
  readonly blobs: Blobs;
  readonly randomBytes: (size: number) => Uint8Array;
  /** How calls that fail with `unavailable` are repeated; absent, they are not, for adapters that do so themselves. */
  readonly retry?: RetryOptions | undefined;
}

/** An open repository. */
export interface Repository {
  readonly id: string;
  /** Its store, with repeats. */
  readonly blobs: Blobs;
  readonly secrets: Secrets;
  readonly chunker: ChunkerParameters;
  /** A pack is put once it holds this much. */
  readonly packBytes: number;
}

/** 64 puts a GB, and what a small Lambda can hold several of. */
export const PACK_BYTES: number = 16 << 20;

/** A fresh id: 32 hexadecimal digits. */
export function newId(randomBytes: (size: number) => Uint8Array): string {
  return Buffer.from(randomBytes(16)).toString('hex');
}

/** Blobs whose calls are repeated while they fail with `unavailable`. */
export function retryingBlobs(blobs: Blobs, options: RetryOptions | undefined): Blobs {
  if (!options) return blobs;
  return {
    get: (key, range) => retry(() => blobs.get(key, range), options),
    put: (key, body, putOptions) => retry(() => blobs.put(key, body, putOptions), options),
    list: (prefix, page) => retry(() => blobs.list(prefix, page), options),
    delete: (keys) => retry(() => blobs.delete(keys), options),
  };
}

/** Every object under a prefix. */
export async function listAll(blobs: Blobs, prefix: string): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  let after: string | undefined;
  do {
    const page = await blobs.list(prefix, { after });
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
}
