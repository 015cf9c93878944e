import { isOpsError, OpsError } from '#core/errors.ts';

/** Prometheus' names for what went wrong with a query; they decide the `errorType` and status of an answer. */
export type QueryErrorType = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'internal';

interface QueryErrorCause {
  readonly queryErrorType: QueryErrorType;
}

/** An expression that parsed but cannot be evaluated over the data it met. */
export function executionError(message: string): OpsError {
  return new OpsError('conflict', message, { cause: { queryErrorType: 'execution' } satisfies QueryErrorCause });
}

/** More samples than the limit of one query. */
export function tooManySamplesError(): OpsError {
  return new OpsError('limit', 'query processing would load too many samples into memory in query execution', {
    hint: 'ask for fewer series, a shorter range or a longer step',
    cause: { queryErrorType: 'execution' } satisfies QueryErrorCause,
  });
}

/** The time given to one query is over. */
export function queryTimeoutError(): OpsError {
  return new OpsError('unavailable', 'query timed out in expression evaluation', {
    hint: 'ask for fewer series, a shorter range or a longer step',
    cause: { queryErrorType: 'timeout' } satisfies QueryErrorCause,
  });
}

/** Whoever asked is no longer there. */
export function queryCanceledError(): OpsError {
  return new OpsError('unavailable', 'query was canceled in expression evaluation', {
    cause: { queryErrorType: 'canceled' } satisfies QueryErrorCause,
  });
}

/** Which of Prometheus' error types an error of parsing, reading or evaluating is. */
export function queryErrorType(error: unknown): QueryErrorType {
  if (!isOpsError(error)) return 'internal';
  const cause = error.cause as Partial<QueryErrorCause> | undefined;
  if (cause?.queryErrorType !== undefined) return cause.queryErrorType;
  if (error.kind === 'input') return 'bad_data';
  return error.kind === 'limit' ? 'execution' : 'internal';
}
