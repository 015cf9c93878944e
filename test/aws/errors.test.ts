import { describe, expect, it } from 'vitest';
import { toOpsError, wasRefused } from '#aws/errors.ts';
import { OpsError } from '#core/errors.ts';

const target = { operation: 's3:GetObject', resource: 'bucket "b"' };
const sdkError = (name: string, status?: number, code?: string) =>
  Object.assign(new Error('words'), { name, ...(code && { code }), ...(status && { $metadata: { httpStatusCode: status } }) });

describe('toOpsError', () => {
  it.each([
    ['throttling', sdkError('ThrottlingException', 400), 'unavailable', true],
    ['a slow-down', sdkError('SlowDown', 503), 'unavailable', true],
    ['a 429 of any name', sdkError('Whatever', 429), 'unavailable', true],
    ['a clash with a transaction', sdkError('TransactionConflictException', 400), 'unavailable', true],
    ['an internal error', sdkError('InternalError', 500), 'unavailable', false],
    ['a bad gateway', sdkError('Whatever', 502), 'unavailable', false],
    ['a refused connection', sdkError('Error', undefined, 'ECONNREFUSED'), 'unavailable', true],
    ['an unknown host', sdkError('Error', undefined, 'ENOTFOUND'), 'unavailable', true],
    ['a reset connection', sdkError('Error', undefined, 'ECONNRESET'), 'unavailable', false],
    ['a time-out', sdkError('TimeoutError'), 'unavailable', false],
    ['a request that came in too slowly', sdkError('RequestTimeout', 400), 'unavailable', false],
    ['missing permission', sdkError('AccessDenied', 403), 'denied', false],
    ['a 403 of any name', sdkError('Whatever', 403), 'denied', false],
    ['no credentials', sdkError('CredentialsProviderError'), 'denied', false],
    ['no bucket', sdkError('NoSuchBucket', 404), 'missing', false],
    ['no table', sdkError('ResourceNotFoundException', 400), 'missing', false],
    ['a failed condition', sdkError('ConditionalCheckFailedException', 400), 'conflict', false],
    ['a failed precondition', sdkError('PreconditionFailed', 412), 'conflict', false],
    ['a range past the end', sdkError('InvalidRange', 416), 'input', false],
    ['a validation', sdkError('ValidationException', 400), 'input', false],
  ] as const)('takes %s for %s', (_case, error, kind, refused) => {
    const mapped = toOpsError(error, target);
    expect(mapped).toBeInstanceOf(OpsError);
    expect(mapped).toMatchObject({ kind, cause: error });
    expect((mapped as OpsError).message).toContain('bucket "b"');
    expect(wasRefused(error)).toBe(refused);
  });

  it.each([
    ['an OpsError', new OpsError('limit', 'x')],
    ['a defect of ours', new TypeError('x is undefined')],
    ['what is no error', 'text'],
  ])('leaves alone %s', (_case, error) => {
    expect(toOpsError(error, target)).toBe(error);
  });
});
