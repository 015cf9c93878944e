import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import type { Clock } from '#core/time.ts';
import { planReplay, type ReplayMoment } from '#ports/change-log.ts';
import type { ChangeLogDeps } from './change-log.ts';
import { createPacer } from './pacer.ts';
import { assertCovered, type ReplaySummary, replayChanges } from './replay-changes.ts';
import { writeItems } from './write-items.ts';

export interface ReplayOntoDeps {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly log: ChangeLogDeps;
  readonly retry?: RetryOptions | undefined;
  readonly writeUnitsPerSecond?: number | undefined;
}

export interface RestoreTableDeps extends ReplayOntoDeps {
  /** Restores a snapshot into the table, which is there and whole afterwards: the engine with an `openTableTarget`. */
  readonly restoreBase: () => Promise<void>;
}

/** A table as it was at the end of a second: a base, and the change log from it on. `input` for a moment before the base. */
export async function restoreTableTo(deps: RestoreTableDeps, moment: ReplayMoment): Promise<ReplaySummary> {
  spanOf(moment);
  await deps.restoreBase();
  return await replayOnto(deps, moment);
}

/** Nothing where a base can be brought to the moment by the log. */
export async function assertReplayable(log: ChangeLogDeps, moment: ReplayMoment): Promise<void> {
  await assertCovered(log, { ...spanOf(moment), acceptGaps: moment.acceptGaps });
}

/** Brings a table that a base was restored to, and that is whole, to the moment. `dynamodb:BatchWriteItem`. */
export async function replayOnto(deps: ReplayOntoDeps, moment: ReplayMoment): Promise<ReplaySummary> {
  const retry = deps.retry ?? { ...defaultRetry, attempts: 10, maxDelayMs: 10_000 };
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
    { ...spanOf(moment), acceptGaps: moment.acceptGaps },
  );
}

function spanOf(moment: ReplayMoment): { fromMs: number; toMs: number } {
  const { fromMs, toMs, earliestMs } = planReplay(moment);
  if (toMs >= earliestMs) return { fromMs, toMs };
  const [asked, earliest] = [moment.momentMs, earliestMs].map((ms) => new Date(ms).toISOString());
  throw new OpsError('input', `${asked} is before the snapshot, which is of ${earliest}`, {
    hint: 'Take the latest snapshot before that moment.',
  });
}
