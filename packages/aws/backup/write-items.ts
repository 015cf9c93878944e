import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { callAws, pause } from '#aws/call.ts';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { defaultRetry } from '#core/retry.ts';
import { decodeItem } from './item-lines.ts';
import type { Pacer } from './pacer.ts';
import { callOn, type TableDeps } from './table-definition.ts';

export interface WriteItemsDeps extends TableDeps {
  readonly pacer: Pacer;
  /** Batches under way. */
  readonly parallel: number;
}

/** What one item is to be: a line of it, or a deletion by a line of its key. */
export type ItemWrite = { readonly item: string } | { readonly deleteKey: string };

const MAX_REQUESTS = 25;
// A request may have 16 MB; a line is no shorter than what it takes on the wire.
const MAX_BATCH_BYTES = 4_000_000;

/**
 * Puts and deletes of distinct keys in batches, in no order, all of them or `unavailable`: what DynamoDB leaves undone is sent again, a
 * bounded number of times without progress. `dynamodb:BatchWriteItem`.
 */
export async function writeItems(deps: WriteItemsDeps, writes: readonly ItemWrite[]): Promise<void> {
  await mapConcurrent(planBatches(writes), deps.parallel, (batch) => writeBatch(deps, batch.map(toRequest)));
}

/** Consecutive writes in batches of at most 25 and a bounded size. */
export function planBatches(writes: readonly ItemWrite[]): ItemWrite[][] {
  const batches: ItemWrite[][] = [];
  let sizeBytes = 0;
  for (const write of writes) {
    const lineBytes = Buffer.byteLength('item' in write ? write.item : write.deleteKey);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_REQUESTS || sizeBytes + lineBytes > MAX_BATCH_BYTES) {
      batches.push([write]);
      sizeBytes = lineBytes;
    } else {
      batch.push(write);
      sizeBytes += lineBytes;
    }
  }
  return batches;
}

function toRequest(write: ItemWrite): WriteRequest {
  if ('item' in write) return { PutRequest: { Item: decodeItem(write.item) } };
  return { DeleteRequest: { Key: decodeItem(write.deleteKey) } };
}

async function writeBatch(deps: WriteItemsDeps, batch: readonly WriteRequest[]): Promise<void> {
  const retry = deps.retry ?? defaultRetry;
  let left = [...batch];
  for (let attempt = 1; ; ) {
    await deps.pacer.ready();
    const command = new BatchWriteItemCommand({ RequestItems: { [deps.tableName]: left }, ReturnConsumedCapacity: 'TOTAL' });
    const answer = await callAws(callOn(deps, 'dynamodb:BatchWriteItem'), () => deps.client.send(command));
    for (const { CapacityUnits = 0 } of answer.ConsumedCapacity ?? []) deps.pacer.used(CapacityUnits);
    const undone = answer.UnprocessedItems?.[deps.tableName] ?? [];
    if (undone.length === 0) return;
    attempt = undone.length < left.length ? 1 : attempt + 1;
    if (attempt > retry.attempts) {
      throw new OpsError('unavailable', `table "${deps.tableName}" left ${undone.length} of ${batch.length} writes of a batch undone`, {
        hint: 'The table is throttled; the same writes may be sent again.',
      });
    }
    await pause(retry, attempt);
    left = undone;
  }
}
