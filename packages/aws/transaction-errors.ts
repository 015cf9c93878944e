import type { CancellationReason } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import type { Write } from '#ports/table.ts';

const passing = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'InternalServerError',
]);

/**
 * The OpsError of a cancelled transaction, by its per-write reasons: `conflict` if any condition failed, `input` if a write was
 * invalid, else `unavailable` (another transaction on the same item, throttling). Other errors pass through unmapped.
 */
export function mapCancellation(error: unknown, writes: readonly Write[], resource: string): unknown {
  if ((error as Error | undefined)?.name !== 'TransactionCanceledException') return error;
  const reasons = (error as { CancellationReasons?: CancellationReason[] }).CancellationReasons ?? [];
  const described = reasons.flatMap((reason, index) => describeReason(reason, writes[index])).join('; ');
  const what = `transaction on ${resource} cancelled: ${described || (error as Error).message}`;
  const codes = reasons.map((reason) => reason.Code ?? 'None').filter((code) => code !== 'None');
  if (codes.includes('ConditionalCheckFailed')) return new OpsError('conflict', what, { cause: error });
  if (codes.length > 0 && !codes.some((code) => passing.has(code))) return new OpsError('input', what, { cause: error });
  return new OpsError('unavailable', what, { cause: error });
}

function describeReason(reason: CancellationReason, write: Write | undefined): string[] {
  if (reason.Code === undefined || reason.Code === 'None') return [];
  const key = write === undefined ? undefined : write.kind === 'put' ? write.item : write.key;
  return [`${reason.Code} at ${write?.kind ?? 'write'} ${key?.pk ?? '?'} / ${key?.sk ?? '?'}`];
}
