import { OpsError } from '#core/errors.ts';
import type { Table } from '#ports/table.ts';
import type { AskDeps } from './ask-job.ts';
import type { Job, JobState } from './job.ts';
import { askedEvent } from './job-events.ts';
import { listJobs, readJob, writeJob } from './job-store.ts';
import type { RestoreRequest } from './perform-restore.ts';

/** Never due by itself: it is begun when it is asked for, and gone on with until it ends. */
const NEVER = 'at(1970-01-01T00:00:00)';

/** A restore that was asked for. */
export interface StoredRestore {
  readonly job: Job;
  readonly state: JobState;
}

/**
 * Notes a restore; the function that restores takes it from there. Its id: `id`, where the same request is to be the same restore; `conflict` where
 * another one has it.
 */
export async function askRestore(
  { table, now, newId, tenant }: AskDeps,
  request: RestoreRequest,
  id: string = newId(),
): Promise<{ readonly id: string; readonly isJoined: boolean }> {
  const asked = JSON.parse(JSON.stringify(request));
  const run = { id, startedAtMs: now(), attempts: 0, nextMs: now(), progress: { request: asked } };
  const state: JobState = { expression: NEVER, untilMs: now(), asked, run };
  const job = jobOf(id);
  const events = [askedEvent(job, run, now(), tenant)];
  if ((await writeJob(table, job, { version: 0, state, events })) !== undefined) return { id, isJoined: false };
  const there = await readRestore(table, id);
  if (JSON.stringify(there.state.asked) === JSON.stringify(asked)) return { id, isJoined: true };
  throw new OpsError('conflict', 'another restore was asked for under this key', { hint: 'Use a key of its own for each restore.' });
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
