import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import type { Job, JobRun } from './job.ts';
import { askedEvent } from './job-events.ts';
import { readJob, writeJob } from './job-store.ts';
import { planJob } from './plan-job.ts';

export interface AskDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Who hears of backups. */
  readonly tenant: string;
}

/** A run that somebody asked for; `joined`: it was under way already. */
export interface AskedRun {
  readonly run: string;
  readonly isJoined: boolean;
}

const ATTEMPTS = 5;

/** Begins a run of a job, or joins the one that is under way: the job's function does it, told by an event, or by its schedule at the latest. */
export async function askJob(deps: AskDeps, job: Job): Promise<AskedRun> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { version, state: known } = await readJob(deps.table, job);
    const nowMs = deps.now();
    if (known?.run && known.run.nextMs <= nowMs) return { run: known.run.id, isJoined: true };
    const { state } = planJob(job, known, nowMs, true);
    const run: JobRun = state.run ? { ...state.run, nextMs: nowMs } : { id: deps.newId(), startedAtMs: nowMs, attempts: 0, nextMs: nowMs };
    const events = [askedEvent(job, run, nowMs, deps.tenant)];
    if ((await writeJob(deps.table, job, { version, state: { ...state, run }, events })) !== undefined)
      return { run: run.id, isJoined: state.run !== undefined };
  }
  throw new OpsError('unavailable', `${job.name} is being changed by others; ask again`);
}
