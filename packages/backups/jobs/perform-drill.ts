import * as z from 'zod';
import { type DrillReport, signReport } from '#backups/drills/drill-report.ts';
import { boundProblems, boundReport, storeReport } from '#backups/drills/report-store.ts';
import { type DrillDeps, type DrillProgress, runDrill } from '#backups/drills/run-drill.ts';
import { findSnapshot, listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import type { DrillPlan } from './backups-file.ts';
import type { JobRun } from './job.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import { findBackup, snapshotsOf } from './perform-snapshot.ts';
import type { Performed } from './run-jobs.ts';

/** What a drill asks beside what every job does. */
export interface DrillJobDeps extends JobDeps {
  /** From 0 to 1. */
  readonly random: () => number;
  readonly ask: DrillDeps['ask'];
}

const Problem = z.object({ path: z.string(), message: z.string() });
const Progress = z.object({
  snapshot: z.string(),
  drill: z
    .object({
      startedAtMs: z.number(),
      after: z.string().optional(),
      restored: z.object({ items: z.number(), bytes: z.number(), missing: z.array(Problem), missingCount: z.number() }),
    })
    .optional(),
});

/** Drills a backup as planned, or goes on with it, and keeps the signed report. */
export async function performDrill(deps: DrillJobDeps, name: string, run: JobRun): Promise<Performed> {
  const plan = findDrill(deps, name);
  const backup = findBackup(deps, plan.backup);
  const { repository } = await openPlannedRepository(deps, backup.repository);
  const known = Progress.safeParse(run.progress).data;
  const snapshot = known
    ? await findSnapshot(repository, known.snapshot)
    : pickSnapshot(snapshotsOf(deps, backup, await listSnapshots(repository, () => undefined)), plan.pick, deps);
  const scratch = await deps.places.openScratch(backup.source, run.id);
  const objectives = { recoveryTimeMs: plan.recoveryTime, recoveryPointMs: plan.recoveryPoint };
  const result = await runDrill(
    { clock: deps.clock, remainingMs: deps.remainingMs, ask: deps.ask, query: scratch.query },
    {
      id: run.id,
      drill: name,
      repository,
      snapshot,
      scratch,
      checks: plan.checks,
      objectives,
      timeoutMs: plan.timeout,
      progress: known?.drill,
    },
  );
  if (result.state === 'continued') return { state: 'continued', progress: boundProgress(snapshot.id, result.progress) };
  const report = boundReport(result.report);
  await storeReport(deps.table, signReport(repository.secrets, report));
  return { state: 'done', ok: report.status === 'SUCCESSFUL', sentence: `${report.status}: ${report.sentence}`, result: summarize(report) };
}

/** Fits into an item of the table. */
function boundProgress(snapshot: string, { startedAtMs, after, restored }: DrillProgress): Json {
  const missing = boundProblems(restored.missing);
  return JSON.parse(JSON.stringify({ snapshot, drill: { startedAtMs, after, restored: { ...restored, missing } } }));
}

function findDrill({ file }: JobDeps, name: string): DrillPlan {
  const plan = file.drills.find((each) => each.name === name);
  if (plan) return plan;
  throw new OpsError('missing', `backups.yaml has no drill ${JSON.stringify(name)}`);
}

/** The latest, or any that is young enough, by chance. */
function pickSnapshot(
  snapshots: readonly Snapshot[],
  pick: DrillPlan['pick'],
  { clock, random }: Pick<DrillJobDeps, 'clock' | 'random'>,
): Snapshot {
  const young = pick === 'latest' ? snapshots.slice(-1) : snapshots.filter(({ at }) => clock() - Date.parse(at) <= pick.within);
  const picked = young[Math.min(young.length - 1, Math.floor(random() * young.length))];
  if (picked) return picked;
  throw new OpsError('missing', 'there is no snapshot to drill', { hint: 'Take a backup first, or look further back.' });
}

function summarize({ id, status, snapshot, recoveryTimeMs, recoveryPointMs }: DrillReport) {
  return { report: id, status, snapshot, recoveryTimeMs, recoveryPointMs };
}
