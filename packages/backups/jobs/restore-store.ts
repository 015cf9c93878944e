import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import type { Job, JobState } from './job.ts';
import { listJobs, readJob, writeJob } from './job-store.ts';
import type { RestoreRequest } from './perform-restore.ts';

/** Never due by itself: it is begun when it is asked for, and gone on with until it ends. */
const NEVER = 'at(1970-01-01T00:00:00)';

/** A restore that was asked for. */
export interface StoredRestore {
  readonly job: Job;
  readonly state: JobState;
}

/** Notes a restore; the function that restores takes it from there. Its id. */
export async function askRestore(
  { table, now, newId }: { readonly table: Table; readonly now: Clock; readonly newId: () => string },
  request: RestoreRequest,
): Promise<string> {
  const id = newId();
  const run = { id, startedAtMs: now(), attempts: 0, nextMs: now(), progress: { request: JSON.parse(JSON.stringify(request)) } };
  const state: JobState = { expression: NEVER, untilMs: now(), run };
  const version = await writeJob(table, { kind: 'restore', name: id }, { version: 0, state });
  if (version === undefined) throw new OpsError('unavailable', 'the restore could not be noted; ask again');
  return id;
}

/** All restores that are known. */
export async function listRestores(table: Table): Promise<StoredRestore[]> {
  return [...(await listJobs(table, 'restore'))].map(([name, state]) => ({ job: jobOf(name), state }));
}

/** One restore; `missing` where there is none of that id. */
export async function readRestore(table: Table, id: string): Promise<StoredRestore> {
  const { state } = await readJob(table, jobOf(id));
  if (state) return { job: jobOf(id), state };
  throw new OpsError('missing', `there is no restore ${JSON.stringify(id)}`);
}

function jobOf(name: string): Job {
  return { kind: 'restore', name, schedule: NEVER };
}
