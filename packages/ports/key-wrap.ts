/**
 * Wraps a repository's master key with a key that never leaves its service (KMS). `denied` where it may not be used (or the bytes were wrapped
 * with another), `unavailable` (retryable), `missing` where the wrapping key is gone.
 */
export interface KeyWrap {
  wrap(key: Uint8Array): Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}
