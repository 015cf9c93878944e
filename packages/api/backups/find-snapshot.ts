import type { ApiContext } from '#api/api-env.ts';
import type { OpenRepository } from '#backups/jobs/job-deps.ts';
import { findSnapshot, type Snapshot } from '#backups/repository/snapshots.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { BackupDomains } from './backup-domains.ts';

/** A snapshot, and where it lies. */
export interface FoundSnapshot {
  readonly name: string;
  readonly opened: OpenRepository;
  readonly snapshot: Snapshot;
}

/** The repositories that a request means: the one that it names, or all. */
export async function namedRepositories({ backupsFile }: BackupDomains, c: ApiContext): Promise<readonly string[]> {
  const known = Object.keys((await backupsFile()).repositories);
  const name = c.req.query('repository');
  if (name === undefined) return known;
  if (known.includes(name)) return [name];
  throw new OpsError('missing', `backups.yaml has no repository ${JSON.stringify(name.slice(0, 100))}`, {
    hint: `There are: ${known.join(', ') || 'none'}.`,
  });
}

/** The snapshot that a request names by its id or the beginning of it, in the repository that it names or in the first that has it. */
export async function findNamedSnapshot(deps: BackupDomains, c: ApiContext, id: string): Promise<FoundSnapshot> {
  let problem: OpsError | undefined;
  for (const name of await namedRepositories(deps, c)) {
    try {
      const opened = await deps.openBackupRepository(name);
      return { name, opened, snapshot: await findSnapshot(opened.repository, id) };
    } catch (error) {
      if (!isOpsError(error)) throw error;
      // What cannot be looked into may have it: that is told rather than that there is none.
      if (!problem || problem.kind === 'missing') problem = error;
    }
  }
  throw problem ?? new OpsError('missing', 'backups.yaml has no repository');
}
