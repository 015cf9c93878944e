import { isOpsError, OpsError } from '#core/errors.ts';
import { type Clock, HOUR_MS, MINUTE_MS } from '#core/time.ts';
import type { Json } from '#model/json.ts';
import type { BusEvent } from '#ports/bus.ts';
import { withLease } from '#ports/lease.ts';
import type { Table } from '#ports/table.ts';
import type { Job, JobOutcome, JobRun, JobState } from './job.ts';
import { readJob, writeJob } from './job-store.ts';
import { planJob } from './plan-job.ts';

/** What one call of a run came to. */
export type Performed =
  | { readonly state: 'continued'; readonly progress: Json; readonly sentence?: string | undefined }
  | { readonly state: 'done'; readonly ok: boolean; readonly sentence: string; readonly result: Json };

export type KeepProgress = (progress: Json) => Promise<void>;

export interface RunJobsDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly remainingMs?: (() => number) | undefined;
  /**
   * Does a part of a run, or all of it; called again with the progress that it gave or kept last. `keep` stores progress at once: `conflict` where
   * another process has gone on with the run.
   */
  readonly perform: (job: Job, run: JobRun, keep: KeepProgress) => Promise<Performed>;
  /** What is told of a run that has ended; `before`: how the one before it did. */
  readonly eventsOf: (job: Job, outcome: JobOutcome, before: JobOutcome | undefined) => readonly BusEvent[];
  /** What is told of one that goes on. */
  readonly progressOf?: ((job: Job, run: JobRun, sentence: string) => readonly BusEvent[]) | undefined;
}

/** What a call did. */
export interface JobReport {
  readonly kind: string;
  readonly name: string;
  readonly run: string;
  readonly state: 'done' | 'failed' | 'continued' | 'busy';
  readonly sentence: string;
}

/** Longer than a function may run. */
const LEASE_MS = 20 * MINUTE_MS;
/** Not begun with less time than this. */
const RESERVE_MS = 30_000;
const MAX_ATTEMPTS = 8;
const FIRST_BACKOFF_MS = MINUTE_MS;
/** The lease is over, and whoever has it now tells what comes of the run. */
const TAKEN = 'another process has gone on with it';

/**
 * Attends to jobs one after another: begins what is due, goes on with what was begun. `asked`: a job that is run whatever its schedule says. A
 * failure that may go away is tried again later, at most 8 times; a run that has ended is told of, in the transaction that ends it.
 */
export async function runJobs(deps: RunJobsDeps, jobs: readonly Job[], asked?: string): Promise<JobReport[]> {
  const reports: JobReport[] = [];
  for (const job of jobs) {
    if (asked !== undefined && job.name !== asked) continue;
    if ((deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < RESERVE_MS) break;
    const report = await withLease(deps, `backups/${job.kind}/${job.name}`, LEASE_MS, () => attend(deps, job, asked !== undefined));
    if (report === undefined)
      reports.push({ kind: job.kind, name: job.name, run: '', state: 'busy', sentence: 'another process is at it' });
    else if (report !== 'idle') reports.push(report);
  }
  return reports;
}

async function attend(deps: RunJobsDeps, job: Job, isAsked: boolean): Promise<JobReport | 'idle'> {
  const stored = await readJob(deps.table, job);
  const { action, state } = planJob(job, stored.state, deps.now(), isAsked);
  if (action === 'none' && state === stored.state) return 'idle';
  const run: JobRun = state.run ?? { id: deps.newId(), startedAtMs: deps.now(), attempts: 0, nextMs: deps.now() };
  // Stored before anything is done, so that whoever comes after a crash goes on with the same run.
  const begun = action === 'none' ? state : { ...state, run };
  const version = await writeJob(deps.table, job, { version: stored.version, state: begun });
  if (version === undefined || action === 'none') return 'idle';
  return perform(deps, job, { version, state: begun, run });
}

interface Begun {
  readonly version: number;
  readonly state: JobState;
  readonly run: JobRun;
}

async function perform(deps: RunJobsDeps, job: Job, begun: Begun): Promise<JobReport> {
  let current = begun;
  const store = async (run: JobRun, events?: readonly BusEvent[]) => {
    const state = { ...current.state, run };
    const version = await writeJob(deps.table, job, { version: current.version, state, events });
    if (version !== undefined) current = { version, state, run };
    return version !== undefined;
  };
  const keep: KeepProgress = async (progress) => {
    if (!(await store({ ...current.run, progress }))) throw new OpsError('conflict', TAKEN);
  };
  try {
    const performed = await deps.perform(job, begun.run, keep);
    if (performed.state === 'done') return await endRun(deps, job, current, performed);
    const run = { ...current.run, attempts: 0, nextMs: deps.now(), progress: performed.progress };
    const { sentence = 'time was up; it goes on' } = performed;
    const isStored = await store(run, deps.progressOf?.(job, run, sentence));
    return reportOf(job, begun.run, isStored ? { state: 'continued', sentence } : { state: 'busy', sentence: TAKEN });
  } catch (error) {
    if (!isOpsError(error)) throw error;
    const attempts = current.run.attempts + 1;
    if (error.kind !== 'unavailable' || attempts >= MAX_ATTEMPTS)
      return endRun(deps, job, current, { ok: false, sentence: error.message, result: null });
    const waitMs = Math.min(HOUR_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1));
    const isStored = await store({ ...current.run, attempts, nextMs: deps.now() + waitMs });
    const sentence = isStored ? `failed and is tried again: ${error.message}` : TAKEN;
    return reportOf(job, begun.run, { state: isStored ? 'continued' : 'busy', sentence });
  }
}

async function endRun(
  deps: RunJobsDeps,
  job: Job,
  { version, state, run }: Begun,
  { ok, sentence, result }: Pick<JobOutcome, 'ok' | 'sentence' | 'result'>,
): Promise<JobReport> {
  const last: JobOutcome = { id: run.id, ok, startedAtMs: run.startedAtMs, endedAtMs: deps.now(), sentence, result };
  const { run: _, ...rest } = state;
  const ended: JobState = { ...rest, last, ...(ok && { lastGoodMs: run.startedAtMs }) };
  const stored = await writeJob(deps.table, job, { version, state: ended, events: deps.eventsOf(job, last, state.last) });
  return reportOf(job, run, stored === undefined ? { state: 'busy', sentence: TAKEN } : { state: ok ? 'done' : 'failed', sentence });
}

function reportOf({ kind, name }: Job, { id }: JobRun, what: Pick<JobReport, 'state' | 'sentence'>): JobReport {
  return { kind, name, run: id, ...what };
}
