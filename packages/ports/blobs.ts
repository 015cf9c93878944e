/** Bytes `start` to `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type StorageClass = 'standard' | 'infrequent' | 'archive-instant';

export interface PutOptions {
  /** Default `standard`. Adapters without classes take it and ignore it. */
  readonly storageClass?: StorageClass | undefined;
}

export interface BlobEntry {
  readonly key: string;
  readonly sizeBytes: number;
  /** When the store took it, by the store's clock. */
  readonly modifiedAtMs: number;
}

export interface BlobPage {
  readonly entries: readonly BlobEntry[];
  /** Hand it back as `after` for the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/**
 * Immutable objects: S3, or files. Keys are 1 to 900 characters of `A-Za-z0-9!_.*'()=/-`, no `.` or `..` segment, no
 * leading, trailing or double slash (else `input`). Every method may fail with `unavailable` (retryable: the call may or
 * may not have taken effect) and `denied`.
 */
export interface Blobs {
  /** The whole object, or the range (clamped to its end). `missing` if there is none, `input` if the range starts past its end. */
  get(key: string, range?: ByteRange): Promise<Uint8Array>;
  /**
   * Creates the object once; durable when it resolves. `exists` if the key is taken, whatever its bytes: nothing is ever
   * overwritten. Of any number of concurrent puts of one key exactly one is `created`, and readers see all its bytes or none.
   */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'>;
  /** Keys with the prefix (a plain string prefix, `a/b` finds `a/bc`) in byte order, `limit` (default and most 1,000) a page. Strongly consistent. */
  list(prefix: string, page?: { after?: string | undefined; limit?: number | undefined }): Promise<BlobPage>;
  /** Deletes any number of keys; a key that is not there counts as deleted. Fails with `unavailable` if any could not be, after trying all. */
  delete(keys: readonly string[]): Promise<void>;
}
