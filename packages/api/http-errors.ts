import type { ErrorKind, OpsError } from '#core/errors.ts';

/** The one place where an error's kind becomes an HTTP status. */
export const statusOf: Readonly<Record<ErrorKind, 400 | 403 | 404 | 409 | 413 | 503>> = {
  input: 400,
  denied: 403,
  missing: 404,
  conflict: 409,
  limit: 413,
  unavailable: 503,
};

/** The project's own error form; protocols that have one of theirs use that instead. */
export interface ErrorBody {
  readonly error: { readonly kind: string; readonly message: string; readonly hint?: string | undefined; readonly requestId: string };
}

export function errorBody(error: OpsError, requestId: string): ErrorBody {
  return { error: { kind: error.kind, message: error.message, hint: error.hint, requestId } };
}
