import type { BackupsFile } from '#backups/jobs/backups-file.ts';
import type { OpenRepository } from '#backups/jobs/job-deps.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';

/** What the routes of backups are made of. Backups are of the whole installation, and its first tenant's alone where others share it. */
export interface BackupDomains {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  /** Whose backups are: the one tenant that may see and start them where tenants share the server. */
  readonly backupTenant: string;
  readonly backupsFile: () => Promise<BackupsFile>;
  /** This installation, as snapshots name it. */
  readonly backupHost: string;
  /** Opens a repository of the configuration, and keeps it open. `conflict`, with why, where it cannot be opened; `missing` where it is not made yet. */
  readonly openBackupRepository: (name: string) => Promise<OpenRepository>;
  /** Reads chunks of these snapshots; kept for some time, since the index is read for it. */
  readonly snapshotReader: (opened: OpenRepository, snapshots: readonly string[]) => ChunkReader;
  /** Folders right below it are the only ones that are restored to. */
  readonly restoreFolder: string | undefined;
  /** Sends what was asked for to the functions that do it; a hint, whose loss costs minutes. */
  readonly announceAsked: () => Promise<void>;
}

/** Where the routes of backups are served. */
export interface BackupApiDeps extends BackupDomains {
  readonly isShared: boolean;
}
