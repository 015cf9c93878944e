import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import type { BackupPlan, BackupsFile, DrillPlan, RepositoryPlan } from '#backups/jobs/backups-file.ts';
import type { JobKind, JobState } from '#backups/jobs/job.ts';
import { listJobs } from '#backups/jobs/job-store.ts';
import type { BackupApiDeps } from './backup-domains.ts';
import { ofInstallation } from './installation.ts';
import { describeJob } from './job-view.ts';

const KINDS = ['snapshot', 'copy', 'forget', 'check', 'drill'] as const;
type States = Readonly<Record<(typeof KINDS)[number], ReadonlyMap<string, JobState>>>;

/** GET /api/backups: what the configuration wants, and how it stands with each. */
export function backupStateRoutes(deps: BackupApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(
    '/api/backups',
    ofInstallation(deps, async (c) => {
      const [file, states] = await Promise.all([deps.backupsFile(), readStates(deps)]);
      return c.json(describeFile(file, states, deps.now()));
    }),
  );
  return app;
}

async function readStates({ table }: BackupApiDeps): Promise<States> {
  const read = async (kind: JobKind) => [kind, await listJobs(table, kind)] as const;
  return Object.fromEntries(await Promise.all(KINDS.map(read))) as unknown as States;
}

function describeFile({ backups, repositories, drills }: BackupsFile, states: States, nowMs: number): object {
  return {
    backups: backups.map((plan) => describeBackup(plan, states, nowMs)),
    repositories: Object.entries(repositories).map(([name, plan]) => describeRepository(name, plan, states, nowMs)),
    drills: drills.map((plan) => describeDrill(plan, states, nowMs)),
  };
}

function describeBackup(plan: BackupPlan, { snapshot, copy }: States, nowMs: number): object {
  const { name, source, repository, kind, fullEvery, tags, copyTo, retention, schedule } = plan;
  return {
    ...{ name, source, repository, kind, fullEveryMs: fullEvery, tags, retention },
    ...describeJob({ schedule }, snapshot.get(name), nowMs),
    copy: copyTo.length === 0 ? undefined : { to: copyTo, ...describeJob({ schedule }, copy.get(name), nowMs) },
  };
}

function describeRepository(name: string, plan: RepositoryPlan, { forget, check }: States, nowMs: number): object {
  return {
    ...{ name, at: plan.at, unlockedBy: plan.kms === undefined ? 'passphrase' : 'kms', lockMs: plan.lock },
    forget: describeJob({ schedule: plan.prune }, forget.get(name), nowMs),
    check: describeJob({ schedule: plan.check }, check.get(name), nowMs),
  };
}

/** What its checks ask is not told: the address of a webhook may be a secret. */
function describeDrill(
  { name, backup, schedule, checks, recoveryTime, recoveryPoint }: DrillPlan,
  { drill }: States,
  nowMs: number,
): object {
  const objectives = { recoveryTimeMs: recoveryTime, recoveryPointMs: recoveryPoint };
  return { name, backup, checks: checks.length, objectives, ...describeJob({ schedule }, drill.get(name), nowMs) };
}
