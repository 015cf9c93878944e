import { type AttributeValue, BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { defaultRetry } from '#core/retry.ts';
import { callAws, pause } from './call.ts';
import { callOn, type DynamoDeps } from './dynamo-deps.ts';

const MAX_REQUESTS = 25;
// A call may have 16 MB on the wire, where base64 and escapes make text up to six times as long.
const MAX_BATCH_BYTES = 2_500_000;
const CONCURRENT_BATCHES = 4;

/**
 * Puts and deletes in batches, in parallel, in no order; of two on one key the later wins. What DynamoDB returns unprocessed is
 * sent again after a pause, a bounded number of times without progress, then the call fails with `unavailable`.
 */
export async function batchWrite(deps: DynamoDeps, requests: readonly WriteRequest[]): Promise<void> {
  const byKey = new Map<string, WriteRequest>();
  for (const request of requests) byKey.set(keyOf(request), request);
  await mapConcurrent(planBatches([...byKey.values()]), CONCURRENT_BATCHES, (batch) => writeBatch(deps, batch));
}

/** Consecutive requests in batches of at most 25 and a bounded size. */
function planBatches(requests: readonly WriteRequest[]): WriteRequest[][] {
  const batches: WriteRequest[][] = [];
  let batchBytes = 0;
  for (const request of requests) {
    const sizeBytes = requestSizeBytes(request);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_REQUESTS || batchBytes + sizeBytes > MAX_BATCH_BYTES) {
      batches.push([request]);
      batchBytes = sizeBytes;
    } else {
      batch.push(request);
      batchBytes += sizeBytes;
    }
  }
  return batches;
}

async function writeBatch(deps: DynamoDeps, batch: readonly WriteRequest[]): Promise<void> {
  const retry = deps.retry ?? defaultRetry;
  let left = [...batch];
  for (let attempt = 1; ; ) {
    const command = new BatchWriteItemCommand({ RequestItems: { [deps.tableName]: left } });
    const answer = await callAws(callOn(deps, 'dynamodb:BatchWriteItem', 'always'), () => deps.client.send(command));
    const unprocessed = answer.UnprocessedItems?.[deps.tableName] ?? [];
    if (unprocessed.length === 0) return;
    attempt = unprocessed.length < left.length ? 1 : attempt + 1;
    if (attempt > retry.attempts) {
      throw new OpsError(
        'unavailable',
        `table "${deps.tableName}" left ${unprocessed.length} of ${batch.length} writes of a batch undone`,
        {
          hint: 'The table is throttled; the same writes may be sent again.',
        },
      );
    }
    await pause(retry, attempt);
    left = unprocessed;
  }
}

function keyOf(request: WriteRequest): string {
  const key = request.PutRequest?.Item ?? request.DeleteRequest?.Key;
  return JSON.stringify([key?.pk?.S, key?.sk?.S]);
}

function requestSizeBytes(request: WriteRequest): number {
  const attributes = Object.entries(request.PutRequest?.Item ?? request.DeleteRequest?.Key ?? {});
  return attributes.reduce((size, [name, value]) => size + Buffer.byteLength(name) + wireSizeBytes(value), 0);
}

function wireSizeBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S) + 8;
  if (value.B !== undefined) return value.B.byteLength + 8;
  if (value.L !== undefined) return value.L.reduce((size, element) => size + wireSizeBytes(element), 8);
  return (value.N?.length ?? 0) + 8;
}
