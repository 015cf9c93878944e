import type { Repository } from '#backups/repository/repository.ts';
import type { Snapshot } from '#backups/repository/snapshots.ts';
import { type RestoreResult, runRestore } from '#backups/restore/run-restore.ts';
import { formatDuration } from '#core/duration.ts';
import { isOpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Scratch } from '#ports/backup-places.ts';
import { type Comparison, compareRestored, type Difference } from './compare-restored.ts';
import { type CheckDeps, type CheckResult, type DrillCheck, runChecks } from './drill-checks.ts';
import type { DrillReport, DrillStatus } from './drill-report.ts';

/** What a drill is to reach. */
export interface DrillObjectives {
  readonly recoveryTimeMs?: number | undefined;
  readonly recoveryPointMs?: number | undefined;
}

export interface DrillInput {
  readonly id: string;
  /** Its name in the configuration, or whoever asked. */
  readonly drill: string;
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  readonly scratch: Scratch;
  readonly checks: readonly DrillCheck[];
  readonly objectives: DrillObjectives;
  /** After which it counts as timed out. */
  readonly timeoutMs: number;
  /** How much time's changes would be lost, where that is less than since the snapshot: a change log has the rest. */
  readonly recoveryPointMs?: number | undefined;
  /** How far an earlier call came. */
  readonly progress?: DrillProgress | undefined;
}

export interface DrillDeps {
  readonly clock: Clock;
  /** How long this process may still run. */
  readonly remainingMs?: (() => number) | undefined;
  /** Asks a webhook about the place where the data is. */
  readonly ask: (url: string, timeoutMs: number, place: string) => Promise<{ readonly ok: boolean; readonly sentence: string }>;
  readonly onPhase?: ((phase: string) => void) | undefined;
}

/** A drill between two processes. */
export interface DrillProgress {
  readonly startedAtMs: number;
  /** Where the restore is to go on. */
  readonly after?: string | undefined;
  readonly restored: DrillReport['restored'];
}

export type DrillResult =
  | { readonly state: 'done'; readonly report: DrillReport }
  | { readonly state: 'continued'; readonly progress: DrillProgress };

const KEPT_PROBLEMS = 1_000;
const NOTHING: Comparison = { items: 0, bytes: 0, lines: 0, differences: [], differenceCount: 0 };

/**
 * Restores a snapshot beside, compares what came of it byte for byte, runs the application's checks, and cleans up. `unavailable` comes through
 * and leaves everything as it is, to be gone on with; whatever else is wrong is in the report.
 */
export async function runDrill(deps: DrillDeps, input: DrillInput): Promise<DrillResult> {
  const { repository, snapshot, scratch } = input;
  const startedAtMs = input.progress?.startedAtMs ?? deps.clock();
  deps.onPhase?.('restoring');
  const restore = { repository, snapshot, target: scratch.target, after: input.progress?.after, remainingMs: deps.remainingMs };
  const result = await orProblem(
    () => runRestore(restore),
    (problem): RestoreResult => ({ state: 'done', created: 0, replaced: 0, kept: 0, bytes: 0, missing: [problem] }),
  );
  const restored = addUp(input.progress?.restored, result);
  const isLate = deps.clock() - startedAtMs > input.timeoutMs;
  if (result.state === 'continued' && !isLate) return { state: 'continued', progress: { startedAtMs, after: result.after, restored } };
  const validated = isLate ? undefined : await validate(deps, input);
  const verifiedAtMs = deps.clock();
  deps.onPhase?.('cleaning up');
  const leftover = await orProblem(
    async () => void (await scratch.remove()),
    ({ message }) => message,
  );
  const report = makeReport(input, { startedAtMs, verifiedAtMs, endedAtMs: deps.clock(), restored, leftover, ...validated });
  return { state: 'done', report };
}

/** What failed for good is evidence: of the whole, where no path is told. */
async function orProblem<T>(run: () => Promise<T>, make: (problem: Difference) => T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isOpsError(error) || error.kind === 'unavailable') throw error;
    return make({ path: '', message: error.message });
  }
}

async function validate(deps: DrillDeps, { repository, snapshot, scratch, checks }: DrillInput) {
  deps.onPhase?.('comparing');
  const compared = await orProblem(
    () => compare(repository, snapshot, scratch),
    (problem): Comparison => ({ ...NOTHING, differences: [problem], differenceCount: 1 }),
  );
  deps.onPhase?.('checking');
  const ask: CheckDeps['ask'] = (url, timeoutMs) => deps.ask(url, timeoutMs, scratch.name);
  const atMs = Date.parse(snapshot.guarantee.at);
  const { query: askAt } = scratch;
  const query: CheckDeps['query'] = askAt && ((tenant, expr) => askAt(tenant, expr, atMs));
  return { compared, checks: await runChecks({ open: scratch.openSource, lines: compared.lines, query, ask }, checks) };
}

async function compare(repository: Repository, snapshot: Snapshot, scratch: Scratch): Promise<Comparison> {
  const restored = await scratch.openSource();
  try {
    return await compareRestored({ repository, snapshot, restored });
  } finally {
    await restored.close();
  }
}

interface Measured {
  readonly startedAtMs: number;
  readonly verifiedAtMs: number;
  readonly endedAtMs: number;
  readonly restored: DrillReport['restored'];
  /** Why what was restored is still there. */
  readonly leftover: string | undefined;
  readonly compared?: Comparison | undefined;
  readonly checks?: readonly CheckResult[] | undefined;
}

function makeReport(input: DrillInput, measured: Measured): DrillReport {
  const { id, drill, repository, snapshot, objectives, timeoutMs, recoveryPointMs: lossMs } = input;
  const { startedAtMs, verifiedAtMs, endedAtMs, restored, leftover, compared = NOTHING, checks = [] } = measured;
  const recoveryTimeMs = verifiedAtMs - startedAtMs;
  const recoveryPointMs = lossMs ?? Math.max(0, startedAtMs - Date.parse(snapshot.guarantee.at));
  const isTimedOut = measured.compared === undefined || recoveryTimeMs > timeoutMs;
  const problems = isTimedOut
    ? [`it took longer than ${formatDuration(timeoutMs)}`]
    : findProblems({ restored, compared, checks, recoveryTimeMs, recoveryPointMs, objectives });
  if (leftover !== undefined) problems.push(`what was restored could not be removed: ${leftover}`);
  const status: DrillStatus = isTimedOut ? 'TIMED_OUT' : problems.length > 0 ? 'FAILED' : 'SUCCESSFUL';
  return {
    ...{ version: 1, id, drill, repository: repository.id, snapshot: snapshot.id, source: snapshot.source, status },
    sentence:
      problems.join('; ') || `${compared.items + compared.lines} items were restored as they were, in ${formatDuration(recoveryTimeMs)}`,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(endedAtMs).toISOString(),
    ...{ recoveryTimeMs, recoveryPointMs, objectives, restored },
    compared: { ...compared, differences: [...compared.differences] },
    checks: [...checks],
    cleanedUp: leftover === undefined,
  };
}

function findProblems({
  restored,
  compared,
  checks,
  recoveryTimeMs,
  recoveryPointMs,
  objectives,
}: Pick<DrillReport, 'restored' | 'recoveryTimeMs' | 'recoveryPointMs' | 'objectives'> & {
  readonly compared: Comparison;
  readonly checks: readonly CheckResult[];
}): string[] {
  const { recoveryTimeMs: timeGoalMs, recoveryPointMs: pointGoalMs } = objectives;
  const problems: string[] = [];
  if (restored.missingCount > 0) problems.push(`${restored.missingCount} items were not restored`);
  if (compared.differenceCount > 0) problems.push(`${compared.differenceCount} items are not as they were`);
  for (const { check, ok, sentence } of checks) if (!ok) problems.push(`${check}: ${sentence}`);
  if (timeGoalMs !== undefined && recoveryTimeMs > timeGoalMs)
    problems.push(`recovery took ${formatDuration(recoveryTimeMs)}, and ${formatDuration(timeGoalMs)} is the objective`);
  if (pointGoalMs !== undefined && recoveryPointMs > pointGoalMs)
    problems.push(`the data was ${formatDuration(recoveryPointMs)} old, and ${formatDuration(pointGoalMs)} is the objective`);
  return problems;
}

function addUp(
  before: DrillReport['restored'] | undefined,
  result: Pick<Awaited<ReturnType<typeof runRestore>>, 'created' | 'replaced' | 'kept' | 'bytes' | 'missing'>,
): DrillReport['restored'] {
  const { created, replaced, kept, bytes, missing } = result;
  return {
    items: (before?.items ?? 0) + created + replaced + kept,
    bytes: (before?.bytes ?? 0) + bytes,
    missing: [...(before?.missing ?? []), ...missing].slice(0, KEPT_PROBLEMS),
    missingCount: (before?.missingCount ?? 0) + missing.length,
  };
}
