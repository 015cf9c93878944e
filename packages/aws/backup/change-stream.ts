import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';
import { type Attributes, decodeItem, encodeItem } from './item-lines.ts';

/** One change of one item, as a stream tells it. */
export interface Change {
  /** Orders the changes of one shard. */
  readonly sequence: string;
  /** The whole second in which it took place, by DynamoDB's clock, since the epoch. */
  readonly atS: number;
  /** The item's key, as a line. */
  readonly key: string;
  /** The item as it is since, as a line; absent where it was deleted. */
  readonly item?: string | undefined;
}

export interface Shard {
  readonly id: string;
  readonly parentId?: string | undefined;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where to read on; absent once a closed shard has been read to its end. */
  readonly next?: string | undefined;
}

/**
 * A table's stream: the changes of the last 24 hours, in shards. An item's changes are in order within a shard, and a shard's children
 * follow it. Errors: `missing` (no such stream), `denied`, `unavailable`.
 */
export interface ChangeStream {
  /** Names this stream among those that the table has had: a new one begins whenever streams are switched on. */
  readonly label: string;
  shards(): Promise<readonly Shard[]>;
  /** An iterator at the change after the sequence number, or at the oldest that is kept. `trimmed` where what comes after it is gone. */
  seek(shardId: string, after: string | undefined): Promise<{ readonly iterator: string } | 'trimmed'>;
  /** At most 1,000 changes; none where there are none *yet, or in this stretch*. `expired`: seek again. */
  read(iterator: string): Promise<ChangePage | 'expired' | 'trimmed'>;
}

export interface StreamDeps {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly retry?: RetryOptions | undefined;
}

/** The stream of an ARN: `dynamodb:DescribeStream`, `GetShardIterator`, `GetRecords`. It has to hold new images. */
export function openChangeStream(deps: StreamDeps): ChangeStream {
  return {
    label: (deps.streamArn.split('/stream/')[1] ?? deps.streamArn).replace(/[^A-Za-z0-9_.-]/g, '.'),
    shards: () => listShards(deps),
    async seek(shardId, after) {
      const position =
        after === undefined
          ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
          : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after } as const);
      const command = new GetShardIteratorCommand({ StreamArn: deps.streamArn, ShardId: shardId, ...position });
      const answer = await callUnless(deps, 'dynamodb:GetShardIterator', { TrimmedDataAccessException: 'trimmed' as const }, () =>
        deps.client.send(command),
      );
      if (answer === 'trimmed') return answer;
      if (answer.ShardIterator === undefined) throw new OpsError('unavailable', `shard "${shardId}" gave no iterator`);
      return { iterator: answer.ShardIterator };
    },
    async read(ShardIterator) {
      const passing = { ExpiredIteratorException: 'expired', TrimmedDataAccessException: 'trimmed' } as const;
      const answer = await callUnless(deps, 'dynamodb:GetRecords', passing, () =>
        deps.client.send(new GetRecordsCommand({ ShardIterator })),
      );
      if (typeof answer === 'string') return answer;
      return { changes: (answer.Records ?? []).map(toChange), next: answer.NextShardIterator };
    },
  };
}

/** Runs a call; errors with the names given are outcomes of it. */
async function callUnless<T, O>(deps: StreamDeps, operation: string, outcomes: Readonly<Record<string, O>>, call: () => Promise<T>) {
  const options = { operation, resource: `stream "${deps.streamArn}"`, repeat: 'always', retry: deps.retry } as const;
  return await callAws(options, async () => {
    try {
      return await call();
    } catch (error) {
      const outcome = outcomes[(error as Error).name];
      if (outcome === undefined) throw error;
      return outcome;
    }
  });
}

async function listShards(deps: StreamDeps): Promise<Shard[]> {
  const shards: Shard[] = [];
  const options = {
    operation: 'dynamodb:DescribeStream',
    resource: `stream "${deps.streamArn}"`,
    repeat: 'always',
    retry: deps.retry,
  } as const;
  for (let ExclusiveStartShardId: string | undefined; ; ) {
    const command = new DescribeStreamCommand({ StreamArn: deps.streamArn, ExclusiveStartShardId });
    const { StreamDescription: page } = await callAws(options, () => deps.client.send(command));
    assertNewImages(page?.StreamViewType);
    for (const { ShardId = '', ParentShardId } of page?.Shards ?? []) shards.push({ id: ShardId, parentId: ParentShardId });
    if (page?.LastEvaluatedShardId === undefined) return shards;
    ExclusiveStartShardId = page.LastEvaluatedShardId;
  }
}

function assertNewImages(viewType: string | undefined): void {
  if (viewType === undefined || viewType.startsWith('NEW_')) return;
  throw new OpsError('input', `the stream has ${viewType}, which does not say what items have become`, {
    hint: 'Switch the stream on with the view type NEW_IMAGE or NEW_AND_OLD_IMAGES.',
  });
}

function toChange({ dynamodb: record, eventName }: StreamRecord): Change {
  const { SequenceNumber, ApproximateCreationDateTime: at, Keys, NewImage } = record ?? {};
  if (SequenceNumber === undefined || at === undefined || Keys === undefined || (eventName !== 'REMOVE' && NewImage === undefined)) {
    throw new OpsError('input', `a ${eventName} of the stream lacks its sequence number, time, key or image`);
  }
  return {
    sequence: SequenceNumber,
    atS: Math.floor(at.getTime() / 1_000),
    key: encodeItem(Keys as Attributes),
    ...(eventName === 'REMOVE' ? {} : { item: encodeItem(NewImage as Attributes) }),
  };
}

/** A change as one line of JSON, without its newline. */
export function encodeChange({ sequence, atS, key, item }: Change): string {
  return `{"sequence":${JSON.stringify(sequence)},"atS":${atS},"key":${key}${item === undefined ? '' : `,"item":${item}`}}`;
}

/** The change of a line; `input` for any other. */
export function decodeChange(line: string): Change {
  let parsed: { sequence?: unknown; atS?: unknown; key?: unknown; item?: unknown };
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new OpsError('input', 'a line of changes is not JSON', { cause });
  }
  const { sequence, atS, key, item } = parsed ?? {};
  if (typeof sequence !== 'string' || typeof atS !== 'number') throw new OpsError('input', 'a line of changes lacks its place');
  const toLine = (value: unknown) => encodeItem(decodeItem(JSON.stringify(value)));
  return { sequence, atS, key: toLine(key), ...(item === undefined ? {} : { item: toLine(item) }) };
}
