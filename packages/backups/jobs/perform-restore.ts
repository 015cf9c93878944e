import * as z from 'zod';
import { findSnapshot, type Snapshot } from '#backups/repository/snapshots.ts';
import { planRestore } from '#backups/restore/plan-restore.ts';
import { openPointInTime, type PointInTime } from '#backups/restore/point-in-time.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { BackupTarget } from '#ports/backup-target.ts';
import type { JobRun } from './job.ts';
import { type JobDeps, type OpenRepository, openPlannedRepository } from './job-deps.ts';
import type { Performed } from './run-jobs.ts';

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

/** What a run keeps between calls. */
const Progress = z.object({
  request: RestoreRequest,
  snapshot: z.string().optional(),
  isSecured: z.boolean().default(false),
  after: z.string().optional(),
  created: z.number().default(0),
  replaced: z.number().default(0),
  kept: z.number().default(0),
  bytes: z.number().default(0),
  /** The snapshot is restored, and what was changed since is to follow. */
  isRestored: z.boolean().default(false),
  missing: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  missingCount: z.number().default(0),
});

type Progress = z.infer<typeof Progress>;

const MISSING_TOLD = 200;

/** Restores what was asked for, or goes on with it. */
export async function performRestore(deps: JobDeps, run: JobRun): Promise<Performed> {
  const progress = Progress.parse(run.progress);
  const { request } = progress;
  const opened = await openPlannedRepository(deps, request.repository);
  // Fixed by the first call: the latest may be another when it goes on.
  const name = progress.snapshot ?? request.snapshot;
  const moment = request.at === undefined ? undefined : await openMoment(deps, opened, { ...request, at: request.at, snapshot: name });
  const snapshot = moment?.base ?? (await findSnapshot(opened.repository, name));
  const target = await deps.places.openTarget(request.to, { overwrite: request.yes });
  try {
    return await restoreTo(deps, { progress, opened, snapshot, target, moment });
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
  readonly progress: Progress;
  readonly opened: OpenRepository;
  readonly snapshot: Snapshot;
  readonly target: BackupTarget;
  readonly moment: PointInTime | undefined;
}

async function restoreTo(deps: JobDeps, { progress, opened, snapshot, target, moment }: Restoring): Promise<Performed> {
  const { request } = progress;
  const filter = { include: request.include, exclude: request.exclude };
  const input = { repository: opened.repository, snapshot, target, filter };
  if (request.dryRun) {
    const plan = await planRestore(input);
    return {
      state: 'done',
      ok: true,
      sentence: `would restore ${plan.create + plan.replace} items`,
      result: { snapshot: snapshot.id, plan: { ...plan } } as never,
    };
  }
  if (progress.isRestored) return replayTo(progress, snapshot, moment);
  const wasSecured = progress.isSecured || progress.after !== undefined;
  if (!wasSecured) await secure(deps, opened, request);
  const result = await runRestore({ ...input, after: progress.after, remainingMs: deps.remainingMs }).catch((error: unknown) => {
    // What this call has written is no reason to refuse the next one.
    if (wasSecured || !isOpsError(error, 'unavailable')) throw error;
    return error;
  });
  if (result instanceof OpsError) {
    return {
      state: 'continued',
      progress: { request: { ...request }, snapshot: snapshot.id, isSecured: true } as never,
      sentence: `failed and is tried again: ${result.message}`,
    };
  }
  const { created, replaced, kept, bytes, missing } = result;
  const sums = {
    created: progress.created + created,
    replaced: progress.replaced + replaced,
    kept: progress.kept + kept,
    bytes: progress.bytes + bytes,
    missing: [...progress.missing, ...missing].slice(0, MISSING_TOLD).map((each) => ({ ...each })),
    missingCount: progress.missingCount + missing.length,
  };
  const reached = { request: { ...request }, snapshot: snapshot.id, isSecured: true, ...sums };
  if (result.state === 'continued') return { state: 'continued', progress: { ...reached, after: result.after ?? '' } as never };
  // In a call of its own: it begins from its beginning each time, and has all the time there is.
  if (moment) return { state: 'continued', progress: { ...reached, isRestored: true } as never, sentence: 'the snapshot is restored' };
  return describeRestore(request, snapshot, sums);
}

async function replayTo(progress: Progress, snapshot: Snapshot, moment: PointInTime | undefined): Promise<Performed> {
  const { request, created, replaced, kept, bytes, missing, missingCount } = progress;
  const changes = await moment?.replay();
  return describeRestore(request, snapshot, { created, replaced, kept, bytes, missing, missingCount }, changes);
}

type Sums = Pick<Progress, 'created' | 'replaced' | 'kept' | 'bytes' | 'missing' | 'missingCount'>;

function describeRestore({ to, at }: RestoreRequest, snapshot: Snapshot, sums: Sums, changes?: number): Performed {
  const { created, replaced, kept, missingCount } = sums;
  const lacks = missingCount > 0 ? `, ${missingCount} are missing` : '';
  const brought = changes === undefined ? '' : `, brought to ${at} by ${changes} changes`;
  return {
    state: 'done',
    ok: missingCount === 0,
    sentence: `${created + replaced + kept} items in ${to}${lacks}${brought}`,
    result: { snapshot: snapshot.id, ...sums, ...(changes === undefined ? {} : { changes }) },
  };
}

/** Nothing is replaced that has not been saved before. */
async function secure(deps: JobDeps, { repository, plan }: OpenRepository, { to, yes }: RestoreRequest): Promise<void> {
  if (await deps.places.isEmpty(to)) return;
  if (!yes) {
    throw new OpsError('conflict', `${to} is not empty`, {
      hint: 'Restore beside it, or say "yes": what is there is then backed up first, and what the snapshot has is put in its place.',
    });
  }
  const source = await deps.places.openSource(to, { apartFrom: [plan.at] });
  try {
    const result = await takeBackup(deps, {
      repository,
      source,
      kind: 'incremental',
      host: deps.host,
      tags: ['before-restore'],
      remainingMs: deps.remainingMs,
    });
    if (result.state === 'continued') throw new OpsError('unavailable', `time was up before ${to} was backed up`);
  } finally {
    await source.close();
  }
}
