import type { BackupDomains } from '#api/backups/backup-domains.ts';
import { type OpenRepository, openPlannedRepository } from '#backups/jobs/job-deps.ts';
import { type ChunkReader, createChunkReader } from '#backups/packs/chunk-reader.ts';
import { readSettings } from '#config/settings.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { publishOutbox } from '#ports/outbox.ts';
import { compileBackups } from './backup-files.ts';
import { BACKUP_HOST, BACKUP_TENANT, backupJobDeps } from './backups-deps.ts';
import type { FunctionDeps } from './deps.ts';

/** Opening costs a key derivation of half a second, also where it is the wrong key; a reader costs the whole index. */
const KEPT_MS = 5 * MINUTE_MS;
const MAX_READERS = 4;

/** What the routes of backups are made of. What is open stays so for some minutes. */
export function backupDomains(deps: FunctionDeps): BackupDomains {
  const { table, bus, now, newId } = deps;
  const opened = createKept<Promise<OpenRepository>>(now, 100);
  const readers = createKept<ChunkReader>(now, MAX_READERS);
  return {
    ...{ table, now, newId, backupTenant: BACKUP_TENANT, backupHost: BACKUP_HOST },
    backupsFile: () => compileBackups(deps.config),
    openBackupRepository: (name) =>
      opened.get(
        name,
        () => open(deps, name),
        (opening, forget) => void opening.catch((error) => isOpsError(error, 'conflict') || forget()),
      ),
    snapshotReader: ({ repository }, snapshots) =>
      readers.get(`${repository.id} ${snapshots.join(' ')}`, () => createChunkReader(repository)),
    restoreFolder: readSettings().restoreFolder,
    announceAsked: async () => void (await publishOutbox({ table, bus })),
  };
}

async function open(deps: FunctionDeps, name: string): Promise<OpenRepository> {
  try {
    return await openPlannedRepository(await backupJobDeps(deps), name);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    if (error.kind === 'missing') throw error;
    // Not the caller's doing: neither a wrong request nor a lack of rights.
    const kind = error.kind === 'unavailable' ? 'unavailable' : 'conflict';
    throw new OpsError(kind, `the repository ${name} cannot be opened: ${error.message}`, { cause: error, hint: error.hint });
  }
}

interface Kept<T> {
  get(key: string, make: () => T, watch?: (made: T, forget: () => void) => void): T;
}

/** Values that are made again after some minutes, or once there are too many. */
function createKept<T>(now: () => number, max: number): Kept<T> {
  const kept = new Map<string, { readonly value: T; readonly untilMs: number }>();
  return {
    get(key, make, watch) {
      const known = kept.get(key);
      if (known && now() < known.untilMs) return known.value;
      const value = make();
      if (kept.size >= max) kept.clear();
      kept.set(key, { value, untilMs: now() + KEPT_MS });
      watch?.(value, () => kept.delete(key));
      return value;
    },
  };
}
