import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { ChangeLog, Seal } from '#ports/change-log.ts';
import { captureChanges } from './capture-changes.ts';
import { type ChangeLogDeps, coverageOf, pruneChangeLog, readMarks } from './change-log.ts';
import { openChangeStream } from './change-stream.ts';
import { assertReplayable, replayOnto } from './restore-table-to.ts';
import { describeTable } from './table-definition.ts';

export interface TableChangeLogOptions {
  readonly client: DynamoDBClient;
  /** Asked for when changes are captured, and not otherwise. */
  readonly openStreams: () => Promise<DynamoDBStreamsClient>;
  readonly tableName: string;
  /** The repository's store, where the log lies below `changes/<table>/`. */
  readonly blobs: Blobs;
  readonly seal: Seal;
  readonly clock: Clock;
  /** Reads the table's name of a target. */
  readonly tableOf: (target: string) => string;
  readonly retry?: RetryOptions | undefined;
  /** How long a change takes into the stream at most. Default 10 s. */
  readonly settleMs?: number | undefined;
}

/** The ChangeLog port on a table's stream. What is read of the log needs neither the table nor its stream to be there still. */
export function openTableChangeLog(options: TableChangeLogOptions): ChangeLog {
  const { client, tableName, blobs, seal, clock, retry = defaultRetry } = options;
  const log: ChangeLogDeps = { blobs, seal, name: tableName, retry };
  return {
    async capture(deadlineMs) {
      const stream = openChangeStream({ client: await options.openStreams(), streamArn: await streamOf(options), retry });
      const deps = { stream, log, clock, sleep: retry.sleep, settleMs: options.settleMs };
      const { mark, ...done } = await captureChanges(deps, { deadlineMs });
      return { ...done, untilMs: mark?.untilMs, lagMs: mark?.lagMs ?? 0 };
    },
    coverage: async () => coverageOf(await readMarks(log)),
    assertReaches: (moment) => assertReplayable(log, moment),
    replay: (to, moment) => replayOnto({ client, tableName: options.tableOf(to), clock, log, retry: options.retry }, moment),
    prune: (keepFromMs) => pruneChangeLog(log, { keepFromMs, nowMs: clock() }),
  };
}

async function streamOf({ client, tableName, retry }: TableChangeLogOptions): Promise<string> {
  const { streamArn, definition } = await describeTable({ client, tableName, retry });
  if (streamArn !== undefined && definition.streamViewType?.startsWith('NEW_')) return streamArn;
  throw new OpsError('input', `table "${tableName}" has no stream of new images, from which its changes could be captured`, {
    hint: 'Switch its stream on with NEW_IMAGE or NEW_AND_OLD_IMAGES.',
  });
}
