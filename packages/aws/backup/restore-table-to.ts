import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import type { SourceGuarantee } from '#ports/backup-source.ts';
import type { ChangeLogDeps } from './change-log.ts';
import { createPacer } from './pacer.ts';
import { endOfSecond, type ReplaySummary, replayChanges } from './replay-changes.ts';
import { writeItems } from './write-items.ts';

export interface RestoreTableDeps {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly log: ChangeLogDeps;
  /** Restores a snapshot into the table, which is there and whole afterwards: the engine with an `openTableTarget`. */
  readonly restoreBase: () => Promise<void>;
  readonly retry?: RetryOptions | undefined;
  readonly writeUnitsPerSecond?: number | undefined;
}

export interface RestoreTableInput {
  /** What the snapshot's manifest says of itself. */
  readonly base: Pick<SourceGuarantee, 'consistency' | 'at'>;
  /** When its last item had been read; a fuzzy base cannot be restored to a moment before that. */
  readonly baseEndedAtMs: number;
  /** Restores to the end of this second. */
  readonly momentMs: number;
  readonly acceptGaps?: boolean | undefined;
}

const CLOCKS_APART_MS = 5_000;

/** A table as it was at the end of a second: a base, and the change log from it on. `input` for a moment before the base. */
export async function restoreTableTo(deps: RestoreTableDeps, input: RestoreTableInput): Promise<ReplaySummary> {
  const retry = deps.retry ?? { ...defaultRetry, attempts: 10, maxDelayMs: 10_000 };
  const isMoment = input.base.consistency === 'moment';
  // A base's instant is by the stream's own clock; when a scan began and ended is by another.
  const fromMs = Date.parse(input.base.at) - (isMoment ? 0 : CLOCKS_APART_MS);
  const toMs = endOfSecond(input.momentMs);
  const earliestMs = isMoment ? fromMs : input.baseEndedAtMs + CLOCKS_APART_MS;
  if (toMs < earliestMs) {
    throw new OpsError(
      'input',
      `${new Date(input.momentMs).toISOString()} is before the snapshot, which is of ${new Date(earliestMs).toISOString()}`,
      {
        hint: 'Take the latest snapshot before that moment.',
      },
    );
  }
  await deps.restoreBase();
  const pacer = createPacer({ clock: deps.clock, sleep: retry.sleep }, deps.writeUnitsPerSecond);
  const { client, tableName } = deps;
  const write = { client, tableName, retry, pacer, parallel: 4 };
  return await replayChanges(
    deps.log,
    (changes) =>
      writeItems(
        write,
        changes.map(({ key, item }) => (item === undefined ? { deleteKey: key } : { item })),
      ),
    { fromMs, toMs, acceptGaps: input.acceptGaps },
  );
}
