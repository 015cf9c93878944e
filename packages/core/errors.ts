/** What went wrong, in the terms a caller can act on. HTTP status and retry behaviour follow from it. */
export type ErrorKind = 'input' | 'missing' | 'conflict' | 'denied' | 'limit' | 'unavailable';

export interface OpsErrorOptions {
  /** One sentence: what the reader can do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** For `unavailable` and `limit`: when a retry makes sense. */
  readonly retryAfterMs?: number | undefined;
}

/** The one error type of the domains; anything else that is thrown is a defect. */
export class OpsError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: ErrorKind, message: string, options: OpsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OpsError';
    this.kind = kind;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True for an OpsError, of the given kind if one is named. */
export function isOpsError(error: unknown, kind?: ErrorKind): error is OpsError {
  return error instanceof OpsError && (kind === undefined || error.kind === kind);
}

/** Only `unavailable` may go away by itself; the same call is safe to repeat. */
export function isRetryable(error: unknown): boolean {
  return isOpsError(error, 'unavailable');
}
