import * as z from 'zod';
import { BEFORE_RESTORE, findSnapshot, type Snapshot } from '#backups/repository/snapshots.ts';
import { assertSaved } from '#backups/restore/assert-saved.ts';
import { planRestore, type RestorePlan } from '#backups/restore/plan-restore.ts';
import { openPointInTime, type PointInTime } from '#backups/restore/point-in-time.ts';
import { type RestoreResult, runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import type { JobRun } from './job.ts';
import { type JobDeps, type OpenRepository, openPlannedRepository } from './job-deps.ts';
import { sessionOf } from './perform-snapshot.ts';
import type { KeepProgress, Performed } from './run-jobs.ts';

const paths = z.array(z.string().min(1).max(4_096)).max(1_000);

/** What somebody wants restored. */
export const RestoreRequest = z.strictObject({
  repository: z.string().min(1).max(63),
  /** An id, a beginning of one, or `latest`. */
  snapshot: z.string().min(4).max(64),
  /** A folder, `dynamodb:TABLE`, `s3://bucket/prefix`. */
  to: z.string().min(1).max(2_000),
  include: paths.optional(),
  exclude: paths.optional(),
  /** To the end of this second, from the newest snapshot before it: for a table whose changes are kept, into a table of its own. */
  at: z.iso.datetime({ offset: true }).optional(),
  /** Says what would be done, and does nothing. */
  dryRun: z.boolean().default(false),
  /** Writes into a place that is not empty, of which a snapshot is taken first. */
  yes: z.boolean().default(false),
});
export type RestoreRequest = z.infer<typeof RestoreRequest>;

const Missing = z.object({ path: z.string(), message: z.string() });

/** What a run keeps between calls. */
const Progress = z.object({
  request: RestoreRequest,
  snapshot: z.string().optional(),
  /** What was there before has been saved, or there was nothing: what is there now is this restore's own. */
  isSecured: z.boolean().default(false),
  after: z.string().optional(),
  created: z.number().default(0),
  replaced: z.number().default(0),
  kept: z.number().default(0),
  bytes: z.number().default(0),
  /** The snapshot is restored, and what was changed since is to follow. */
  isRestored: z.boolean().default(false),
  missing: z.array(Missing).default([]),
  missingCount: z.number().default(0),
});
type Progress = z.infer<typeof Progress>;

const MISSING_TOLD = 200;
const MAX_TEXT = 500;

/** Restores what was asked for, or goes on with it. */
export async function performRestore(deps: JobDeps, run: JobRun, keep: KeepProgress): Promise<Performed> {
  const known = Progress.parse(run.progress);
  const { request } = known;
  const opened = await openPlannedRepository(deps, request.repository);
  // Fixed by the first call: the latest may be another when it goes on.
  const name = known.snapshot ?? request.snapshot;
  const moment = request.at === undefined ? undefined : await openMoment(deps, opened, { ...request, at: request.at, snapshot: name });
  const snapshot = moment?.base ?? (await findSnapshot(opened.repository, name));
  const target = await deps.places.openTarget(request.to, { overwrite: request.yes });
  try {
    return await restoreTo(deps, { run, known, opened, snapshot, target, moment, keep });
  } finally {
    await target.close?.();
  }
}

function openMoment(
  deps: JobDeps,
  { repository }: OpenRepository,
  request: RestoreRequest & { readonly at: string },
): Promise<PointInTime> {
  const { snapshot, to, at, include, exclude } = request;
  if (include || exclude) throw new OpsError('input', 'a table is restored to a moment as a whole, and not a part of it');
  return openPointInTime({ ...deps, repository }, { snapshot, to, atMs: Date.parse(at) });
}

interface Restoring {
  readonly run: JobRun;
  readonly known: Progress;
  readonly opened: OpenRepository;
  readonly snapshot: Snapshot;
  readonly target: BackupTarget;
  readonly moment: PointInTime | undefined;
  readonly keep: KeepProgress;
}

async function restoreTo(deps: JobDeps, { run, known, opened, snapshot, target, moment, keep }: Restoring): Promise<Performed> {
  const { request } = known;
  const filter = { include: request.include, exclude: request.exclude };
  const input = { repository: opened.repository, snapshot, target, filter };
  if (request.dryRun) return describePlan(snapshot.id, await planRestore(input));
  if (known.isRestored) return describeRestore(request, snapshot, known, await moment?.replay());
  const progress: Progress = { ...known, snapshot: snapshot.id, isSecured: true };
  if (!known.isSecured) {
    if (!(await secure(deps, opened, request, run))) return { state: 'continued', progress: asJson(known) };
    // Before the first thing is written: whoever goes on after a crash must not take it for what was there before.
    await keep(asJson(progress));
  }
  const result = await runRestore({ ...input, after: progress.after, remainingMs: deps.remainingMs });
  const sums = addUp(progress, result);
  if (result.state === 'continued') return { state: 'continued', progress: asJson({ ...progress, ...sums, after: result.after }) };
  // In a call of its own: it begins from its beginning each time, and has all the time there is.
  if (moment)
    return { state: 'continued', progress: asJson({ ...progress, ...sums, isRestored: true }), sentence: 'the snapshot is restored' };
  return describeRestore(request, snapshot, sums);
}

type Sums = Pick<Progress, 'created' | 'replaced' | 'kept' | 'bytes' | 'missing' | 'missingCount'>;

function describeRestore({ to, at }: RestoreRequest, snapshot: Snapshot, sums: Sums, changes?: number): Performed {
  const { created, replaced, kept, bytes, missing, missingCount } = sums;
  const lacks = missingCount > 0 ? `, ${missingCount} are missing` : '';
  const brought = changes === undefined ? '' : `, brought to ${at} by ${changes} changes`;
  return {
    state: 'done',
    ok: missingCount === 0,
    sentence: `${created + replaced + kept} items in ${to}${lacks}${brought}`,
    result: asJson({ snapshot: snapshot.id, created, replaced, kept, bytes, missing, missingCount, changes }),
  };
}

function addUp(before: Progress, { created, replaced, kept, bytes, missing }: RestoreResult) {
  const told = missing.map(({ path, message }) => ({ path: path.slice(0, MAX_TEXT), message: message.slice(0, MAX_TEXT) }));
  return {
    created: before.created + created,
    replaced: before.replaced + replaced,
    kept: before.kept + kept,
    bytes: before.bytes + bytes,
    missing: [...before.missing, ...told].slice(0, MISSING_TOLD),
    missingCount: before.missingCount + missing.length,
  };
}

function describePlan(snapshot: string, plan: RestorePlan): Performed {
  const { replacedPaths, lostPaths } = plan;
  const told = { ...plan, replacedPaths: replacedPaths.slice(0, MISSING_TOLD), lostPaths: lostPaths.slice(0, MISSING_TOLD) };
  return {
    state: 'done',
    ok: true,
    sentence: `would restore ${plan.create + plan.replace} items`,
    result: asJson({ snapshot, plan: told }),
  };
}

function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value));
}

/** Whether what is there has been saved: nothing is replaced that has not been before. False where time was up. */
async function secure(deps: JobDeps, { repository, plan }: OpenRepository, request: RestoreRequest, { id }: JobRun): Promise<boolean> {
  const { to, yes, include, exclude } = request;
  if (await deps.places.isEmpty(to)) return true;
  if (!yes) {
    throw new OpsError('conflict', `${to} is not empty`, {
      hint: 'Restore beside it, or say "yes": what is there is then backed up first, and what the snapshot has is put in its place.',
    });
  }
  const source = await deps.places.openSource(to, { apartFrom: [plan.at] });
  // The run names the session, so that a call that is repeated goes on with the same snapshot.
  const session = sessionOf(`${id} before-restore`);
  const { host, remainingMs } = deps;
  try {
    const result = await takeBackup(deps, {
      ...{ repository, source, kind: 'incremental', host, tags: [BEFORE_RESTORE], session, remainingMs },
    });
    if (result.state !== 'done') return false;
    await assertSaved(repository, result.snapshot, { include, exclude });
    return true;
  } finally {
    await source.close();
  }
}
