import { createHash } from 'node:crypto';
import * as z from 'zod';
import { BackupKind, isBeforeRestore, listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import type { BackupProgress } from '#backups/take/take-backup.ts';
import { takeBackup } from '#backups/take/take-backup.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlan } from './backups-file.ts';
import type { JobRun } from './job.ts';
import { type JobDeps, openPlannedRepository } from './job-deps.ts';
import type { Performed } from './run-jobs.ts';

/** What a run keeps between calls. */
const Progress = z.object({ kind: BackupKind, items: z.number(), readBytes: z.number(), newBytes: z.number() });

/** Takes the snapshot that a backup plans, or goes on with it. The run names the session: whoever repeats a call meets what the first one did. */
export async function performSnapshot(deps: JobDeps, name: string, run: JobRun): Promise<Performed> {
  const plan = findBackup(deps, name);
  const { repository } = await openPlannedRepository(deps, plan.repository, true);
  const known = Progress.safeParse(run.progress).data;
  const kind = known?.kind ?? (await chooseKind(deps, plan, await listSnapshots(repository, () => undefined)));
  const { exclude, tags } = plan;
  const repositories = Object.values(deps.file.repositories).map(({ at }) => at);
  const source = await deps.places.openSource(plan.source, { exclude, moment: kind === 'snapshot', apartFrom: repositories });
  let last: BackupProgress | undefined;
  try {
    const result = await takeBackup(deps, {
      ...{ repository, source, kind, tags, host: deps.host, session: sessionOf(run.id), remainingMs: deps.remainingMs },
      onProgress: (progress) => {
        last = progress;
      },
    });
    if (result.state === 'done') return describeSnapshot(plan, result.snapshot);
    const { items = 0, readBytes = 0, newBytes = 0 } = last ?? {};
    return {
      state: 'continued',
      progress: { kind, items, readBytes, newBytes },
      sentence: `${items} items so far, ${readBytes} bytes read`,
    };
  } finally {
    await source.close();
  }
}

/** The plan of a backup; `missing` where there is none of that name. */
export function findBackup({ file }: Pick<JobDeps, 'file'>, name: string): BackupPlan {
  const plan = file.backups.find((each) => each.name === name);
  if (plan) return plan;
  throw new OpsError('missing', `backups.yaml has no backup ${JSON.stringify(name)}`);
}

/** Snapshots that were taken by a plan, the oldest first. Those that restores took of what they replaced are not among them. */
export function snapshotsOf(deps: Pick<JobDeps, 'host'>, { source }: BackupPlan, snapshots: readonly Snapshot[]): Snapshot[] {
  return snapshots.filter((snapshot) => snapshot.host === deps.host && snapshot.source.name === source && !isBeforeRestore(snapshot));
}

async function chooseKind(deps: JobDeps, plan: BackupPlan, snapshots: readonly Snapshot[]): Promise<BackupKind> {
  if (plan.fullEvery === undefined) return plan.kind;
  const full = snapshotsOf(deps, plan, snapshots).findLast(({ kind }) => kind === 'full');
  return full && deps.clock() - Date.parse(full.at) < plan.fullEvery ? plan.kind : 'full';
}

/** The session that a run's own name stands for. */
export function sessionOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

function describeSnapshot(plan: BackupPlan, { id, kind, source, counts, guarantee, faultCount, faults }: Snapshot): Performed {
  const unread = faultCount > 0 ? `, and ${faultCount} could not be read` : '';
  const sentence = `${counts.items} items of ${plan.source} in snapshot ${id.slice(0, 12)}, ${counts.newBytes} bytes of them new${unread}`;
  const result = { snapshot: id, kind, source, counts, guarantee, faultCount, faults: faults.slice(0, 20) };
  return { state: 'done', ok: true, sentence, result: JSON.parse(JSON.stringify(result)) };
}
