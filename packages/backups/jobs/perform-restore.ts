import * as z from 'zod';
import { findSnapshot, type Snapshot } from '#backups/repository/snapshots.ts';
import { planRestore } from '#backups/restore/plan-restore.ts';
import { runRestore } from '#backups/restore/run-restore.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { OpsError } from '#core/errors.ts';
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
});

type Progress = z.infer<typeof Progress>;

const MISSING_TOLD = 200;

/** Restores what was asked for, or goes on with it. */
export async function performRestore(deps: JobDeps, run: JobRun): Promise<Performed> {
  const progress = Progress.parse(run.progress);
  const { request } = progress;
  const opened = await openPlannedRepository(deps, request.repository);
  // Fixed by the first call: the latest may be another when it goes on.
  const snapshot = await findSnapshot(opened.repository, progress.snapshot ?? request.snapshot);
  const target = await deps.places.openTarget(request.to, { overwrite: request.yes });
  try {
    return await restoreTo(deps, { progress, opened, snapshot, target });
  } finally {
    await target.close?.();
  }
}

interface Restoring {
  readonly progress: Progress;
  readonly opened: OpenRepository;
  readonly snapshot: Snapshot;
  readonly target: BackupTarget;
}

async function restoreTo(deps: JobDeps, { progress, opened, snapshot, target }: Restoring): Promise<Performed> {
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
  if (!progress.isSecured && progress.after === undefined) await secure(deps, opened, request);
  const result = await runRestore({ ...input, after: progress.after, remainingMs: deps.remainingMs });
  const sums = {
    created: progress.created + result.created,
    replaced: progress.replaced + result.replaced,
    kept: progress.kept + result.kept,
    bytes: progress.bytes + result.bytes,
  };
  if (result.state === 'continued') {
    return {
      state: 'continued',
      progress: { request: { ...request }, snapshot: snapshot.id, isSecured: true, after: result.after ?? '', ...sums } as never,
    };
  }
  const { missing } = result;
  return {
    state: 'done',
    ok: missing.length === 0,
    sentence: `${sums.created + sums.replaced + sums.kept} items in ${request.to}${missing.length > 0 ? `, ${missing.length} are missing` : ''}`,
    result: {
      snapshot: snapshot.id,
      ...sums,
      missing: missing.slice(0, MISSING_TOLD).map((each) => ({ ...each })),
      missingCount: missing.length,
    },
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
