import type { Unlock } from '#backups/repository/key-objects.ts';
import { openOrCreateRepository } from '#backups/repository/open-or-create.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import type { BackupDeps, Repository } from '#backups/repository/repository.ts';
import { OpsError } from '#core/errors.ts';
import type { BackupPlaces, RepositoryStore } from '#ports/backup-places.ts';
import type { Table } from '#ports/table.ts';
import type { BackupsFile, RepositoryPlan } from './backups-file.ts';

/** What jobs are done with. */
export interface JobDeps extends BackupDeps {
  readonly file: BackupsFile;
  readonly places: BackupPlaces;
  readonly table: Table;
  /** What unlocks a repository. */
  readonly unlockOf: (plan: RepositoryPlan) => Promise<Unlock>;
  /** This installation, as snapshots name it. */
  readonly host: string;
  readonly remainingMs?: (() => number) | undefined;
}

/** An open repository of the configuration. */
export interface OpenRepository extends RepositoryStore {
  readonly plan: RepositoryPlan;
  readonly repository: Repository;
}

/** Opens a repository by its name in the configuration; `create`: makes it where it is not there. `missing` for a name that is none. */
export async function openPlannedRepository(deps: JobDeps, name: string, create = false): Promise<OpenRepository> {
  const plan = Object.hasOwn(deps.file.repositories, name) ? deps.file.repositories[name] : undefined;
  if (!plan) throw new OpsError('missing', `backups.yaml has no repository ${JSON.stringify(name)}`);
  const store = await deps.places.openStore(plan.at, { create });
  const unlock = await deps.unlockOf(plan);
  const opened = { blobs: store.blobs, randomBytes: deps.randomBytes, clock: deps.clock };
  return { ...store, plan, repository: await (create ? openOrCreateRepository : openRepository)(opened, { unlock }) };
}
