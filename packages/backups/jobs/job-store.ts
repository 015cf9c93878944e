import { isOpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { BusEvent } from '#ports/bus.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import { type Job, type JobKind, JobState } from './job.ts';

/** A job's state as it was read; `version` 0: there is none yet. */
export interface StoredJob {
  readonly version: number;
  readonly state?: JobState | undefined;
}

const PARTITION = 'backups/jobs';
const RESTORES_KEPT_MS = 90 * DAY_MS;

function keyOf({ kind, name }: Pick<Job, 'kind' | 'name'>) {
  return { pk: PARTITION, sk: `${kind}/${name}` };
}

export async function readJob(table: Table, job: Pick<Job, 'kind' | 'name'>): Promise<StoredJob> {
  const item = await retry(() => table.get(keyOf(job)));
  return item ? { version: Number(item.version), state: JobState.parse(JSON.parse(String(item.state))) } : { version: 0 };
}

/** Every job's state of a kind, by name. */
export async function listJobs(table: Table, kind: JobKind): Promise<Map<string, JobState>> {
  const states = new Map<string, JobState>();
  for (let after: string | undefined; ; ) {
    const page = await retry(() => table.query({ pk: PARTITION, from: `${kind}/`, to: `${kind}0`, after }));
    for (const item of page.items) states.set(item.sk.slice(kind.length + 1), JobState.parse(JSON.parse(String(item.state))));
    if (page.next === undefined) return states;
    after = page.next;
  }
}

/** Restores are each a job of their own, and gone some time after their end. */
function expiryOf({ kind }: Pick<Job, 'kind'>, { run, last }: JobState): number | undefined {
  if (kind !== 'restore' || run || !last) return undefined;
  return Math.ceil((last.endedAtMs + RESTORES_KEPT_MS) / 1_000);
}

/**
 * Stores what has become of a job, with what is to be told of it, unless somebody else has since `version`. The new version; undefined where
 * somebody has.
 */
export async function writeJob(
  table: Table,
  job: Pick<Job, 'kind' | 'name'>,
  {
    version,
    state,
    events = [],
  }: { readonly version: number; readonly state: JobState; readonly events?: readonly BusEvent[] | undefined },
): Promise<number | undefined> {
  const item = { ...keyOf(job), version: version + 1, state: JSON.stringify(state), expiresAtS: expiryOf(job, state) };
  const condition = version === 0 ? { exists: false } : { equals: { version } };
  const writes: Write[] = [{ kind: 'put', item, condition }, ...events.map(outboxWrite)];
  try {
    await retry(() => table.transact(writes));
    return version + 1;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    const now = await retry(() => table.get(keyOf(job)));
    return now?.version === item.version && now.state === item.state ? item.version : undefined; // our own, whose answer got lost
  }
}
