import { OpsError } from '#core/errors.ts';

/** What was asked of which resource, for messages: `table "quarterdeck"`. */
export interface AwsTarget {
  readonly operation: string;
  readonly resource: string;
}

const throttled = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
  'ConditionalRequestConflict',
]);
const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AllAccessDisabled',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
]);
const missing = new Set(['NoSuchBucket', 'NoSuchKey', 'NotFound', 'ResourceNotFoundException']);
const conflict = new Set(['ConditionalCheckFailedException', 'PreconditionFailed', 'ResourceInUseException']);
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const network = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', ...neverConnected]);
const timeouts = new Set(['TimeoutError', 'AbortError', 'RequestTimeout', 'RequestTimeoutException', 'NetworkingError']);

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** True where the service certainly did nothing (throttled, or never reached), so that any call may be repeated. */
export function wasRefused(error: unknown): boolean {
  const { name = '', code = '', $metadata } = (error ?? {}) as SdkError;
  return throttled.has(name) || neverConnected.has(code) || $metadata?.httpStatusCode === 429;
}

/**
 * The one mapping from SDK errors: throttling, 5xx, network and time-outs are `unavailable`, refused permission `denied`, an
 * absent resource `missing`, a failed condition `conflict`, any other 4xx `input`. An OpsError passes through; what is no
 * SDK error at all is a defect and comes back as it is.
 */
export function toOpsError(error: unknown, target: AwsTarget): unknown {
  if (error instanceof OpsError || !(error instanceof Error)) return error;
  const { name, message, code, $metadata } = error as SdkError & Error;
  const status = $metadata?.httpStatusCode ?? 0;
  const what = `${target.operation} on ${target.resource}: ${name === 'Error' ? '' : `${name}: `}${message || code || `HTTP ${status}`}`;
  if (wasRefused(error) || status >= 500 || network.has(code ?? '') || timeouts.has(name)) {
    return new OpsError('unavailable', what, { cause: error });
  }
  if (denied.has(name)) return new OpsError('denied', what, { cause: error, hint: deniedHint(target) });
  if (missing.has(name))
    return new OpsError('missing', `${target.resource} does not exist (${target.operation}: ${name})`, { cause: error });
  if (conflict.has(name) || status === 412) return new OpsError('conflict', what, { cause: error });
  if (status === 401 || status === 403) return new OpsError('denied', what, { cause: error, hint: deniedHint(target) });
  if (status === 404) return new OpsError('missing', `${target.resource} does not exist (${target.operation})`, { cause: error });
  if (status >= 400) return new OpsError('input', what, { cause: error });
  return error;
}

function deniedHint(target: AwsTarget): string {
  return `Allow the running role the action ${target.operation} on ${target.resource}, and check that its credentials have not expired.`;
}
