import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { ChangesMissed } from '#model/backup-events.ts';
import type { CaptureReport, LogCoverage, Stretch } from '#ports/change-log.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table } from '#ports/table.ts';

const Gap = z.object({ fromMs: z.number(), untilMs: z.number() });

/** What is known of a change log without reading it. */
export const LogState = z.object({
  /** The recovery point objective that was really had, as of LogCoverage, over what is kept. */
  rpoMs: z.number(),
  /** The log is whole up to here, but for gaps; absent before the first capture has ended. */
  untilMs: z.number().optional(),
  /** The latest, at most 50. */
  gaps: z.array(Gap),
});
export type LogState = z.infer<typeof LogState>;

/** Which log: of a source, in a repository of the configuration. */
export interface LogName {
  readonly repository: string;
  readonly source: string;
}

const PARTITION = 'backups/changes';
const KEPT_GAPS = 50;
const ATTEMPTS = 10;
const NOTHING: LogState = { rpoMs: 0, gaps: [] };

/** What is known of a log; undefined before its first capture. */
export async function readLogState(table: Table, name: LogName): Promise<LogState | undefined> {
  return (await read(table, name)).state;
}

/** What a log's state is after one more capture. `wait`: what passed since the log was whole was at stake. */
function addCapture(known: LogState, { untilMs, gap, lagMs }: CaptureReport, capturedAtMs: number): LogState {
  if (untilMs === undefined) return known;
  const waitMs = known.untilMs === undefined ? 0 : capturedAtMs - known.untilMs;
  return {
    rpoMs: Math.max(known.rpoMs, lagMs, waitMs, gap ? gap.untilMs - gap.fromMs : 0),
    untilMs: Math.max(untilMs, known.untilMs ?? 0),
    gaps: gap ? [...known.gaps, { ...gap }].slice(-KEPT_GAPS) : known.gaps,
  };
}

/** Notes a capture; a gap that is longer than all before is told in the same transaction. */
export async function noteCapture(
  table: Table,
  log: LogName & { readonly backup: string; readonly tenant: string },
  captured: CaptureReport & { readonly capturedAtMs: number },
): Promise<LogState> {
  return change(table, log, (known) => {
    const next = addCapture(known, captured, captured.capturedAtMs);
    const longestMs = Math.max(0, ...known.gaps.map(lengthOf));
    const { gap } = captured;
    const isNew = gap !== undefined && lengthOf(gap) > longestMs;
    return { next, events: isNew ? [missedEvent(log, gap, captured.capturedAtMs)] : [] };
  });
}

/** Notes what a log covers once it has been read anew. */
export async function noteCoverage(table: Table, log: LogName, { stretches, gaps, rpoMs }: LogCoverage): Promise<void> {
  await change(table, log, ({ untilMs }) => ({
    next: {
      rpoMs,
      untilMs: Math.max(untilMs ?? 0, stretches.at(-1)?.untilMs ?? 0),
      gaps: gaps.slice(-KEPT_GAPS).map((gap) => ({ ...gap })),
    },
    events: [],
  }));
}

type Changed = { readonly next: LogState; readonly events: readonly ReturnType<typeof missedEvent>[] };

async function change(table: Table, log: LogName, decide: (known: LogState) => Changed): Promise<LogState> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { version, state } = await read(table, log);
    const { next, events } = decide(state ?? NOTHING);
    const item = { ...keyOf(log), version: version + 1, state: JSON.stringify(next) };
    const condition = version === 0 ? { exists: false } : { equals: { version } };
    try {
      await retry(() => table.transact([{ kind: 'put', item, condition }, ...events.map(outboxWrite)]));
      return next;
    } catch (error) {
      if (!isOpsError(error, 'conflict')) throw error;
      const now = await read(table, log);
      // Our own, whose answer got lost.
      if (now.version === item.version && JSON.stringify(now.state) === item.state) return next;
    }
  }
  throw new OpsError('unavailable', `what is known of the changes of ${log.source} is being written by too many at once`);
}

async function read(table: Table, log: LogName): Promise<{ readonly version: number; readonly state?: LogState }> {
  const item = await retry(() => table.get(keyOf(log)));
  return item ? { version: Number(item.version), state: LogState.parse(JSON.parse(String(item.state))) } : { version: 0 };
}

function keyOf({ repository, source }: LogName) {
  return { pk: PARTITION, sk: `${repository}/${source}` };
}

function lengthOf({ fromMs, untilMs }: Stretch): number {
  return untilMs - fromMs;
}

function missedEvent({ repository, source, backup, tenant }: LogName & { backup: string; tenant: string }, gap: Stretch, atMs: number) {
  const key = JSON.stringify(['changes', repository, source, gap.fromMs, gap.untilMs]);
  const [from, until] = [gap.fromMs, gap.untilMs].map((ms) => new Date(ms).toISOString()) as [string, string];
  const detail: ChangesMissed = ChangesMissed.parse({
    id: createHash('sha256').update(key).digest('hex').slice(0, 32),
    tenant,
    at: new Date(atMs).toISOString(),
    name: backup,
    sentence: `changes of ${source} between ${from} and ${until} may be lost`,
    from,
    until,
  });
  return { source: 'quarterdeck.backups', detailType: 'Changes Missed', detail };
}
