import { randomBytes } from 'node:crypto';
import { openOrCreateRepository } from '#backups/repository/open-or-create.ts';
import { openRepository } from '#backups/repository/open-repository.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { readSettings } from '#config/settings.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { BackupPlaces, RepositoryStore } from '#ports/backup-places.ts';

/** A repository that a command line names. */
export interface OpenedRepository extends RepositoryStore {
  readonly name: string;
  readonly repository: Repository;
}

/** Opens the repository; `create`: makes one where there is none. `input` where no passphrase is set, `denied` for a wrong one. */
export async function openNamedRepository(
  places: BackupPlaces,
  name: string,
  { create = false, passphrase }: { readonly create?: boolean; readonly passphrase?: string | undefined } = {},
): Promise<OpenedRepository> {
  const unlock = { passphrase: passphrase ?? readPassphrase() };
  const store = await places.openStore(name, { create });
  const deps = { blobs: store.blobs, randomBytes, clock: Date.now };
  if (create) return { ...store, name, repository: await openOrCreateRepository(deps, { unlock }) };
  try {
    return { ...store, name, repository: await openRepository(deps, { unlock }) };
  } catch (error) {
    if (!isOpsError(error, 'missing')) throw error;
    throw new OpsError('missing', `${name}: there is no backup repository`, { hint: 'The first backup makes one.', cause: error });
  }
}

function readPassphrase(): string {
  const { backupPassphrase } = readSettings();
  if (backupPassphrase !== undefined) return backupPassphrase;
  throw new OpsError('input', 'QUARTERDECK_BACKUP_PASSPHRASE is not set', {
    hint: 'It unlocks the repository, and nobody can without it: keep a copy of it where the backups are not.',
  });
}
